/** The C library's words for the errors that a file, a directory or a socket can give (glibc's `strerror`). */
const ERROR_TEXTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'Permission denied'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['EBUSY', 'Device or resource busy'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['EEXIST', 'File exists'],
  ['EFBIG', 'File too large'],
  ['EINVAL', 'Invalid argument'],
  ['EIO', 'Input/output error'],
  ['EISDIR', 'Is a directory'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EMFILE', 'Too many open files'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOENT', 'No such file or directory'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['ENOSPC', 'No space left on device'],
  ['ENOTDIR', 'Not a directory'],
  ['EPERM', 'Operation not permitted'],
  ['EROFS', 'Read-only file system'],
]);

/** The code of an error that the system gave ("ENOENT"), or undefined when it came from elsewhere. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** An error of the system in the words that Redis's replies and logs use. Throws what is no such error again. */
export function systemErrorText(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return ERROR_TEXTS.get(code) ?? code;
}
