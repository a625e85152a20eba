/**
 * A text that stands for bytes: each character is one byte (latin1). Redis's strings are bytes, and so are names and
 * values of the configuration, on the wire and in redis.conf; this form loses none of them and needs no copying to be
 * compared, searched or put in a map.
 */
export type ByteString = string;

/** The bytes that a text stands for. */
export function bytesOf(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The text that stands for these bytes. */
export function byteStringOf(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The text that stands for the UTF-8 form of an ordinary string, such as a member of `process.argv`. */
export function encodeByteString(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The ordinary string whose UTF-8 form is this; bytes that are not UTF-8 become U+FFFD. */
export function decodeByteString(text: ByteString): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** What C sees of a text: the part before its first NUL byte. */
export function beforeNul(text: ByteString): ByteString {
  const nulAt = text.indexOf('\0');
  return nulAt < 0 ? text : text.slice(0, nulAt);
}
