/** Switches for tests, which DEBUG sets and whoever they concern reads. */
export class DebugSettings {
  /** Whether checksums of RDB files and of the payloads of RESTORE are taken for right. */
  skipsChecksums = false;
  /** When the peak of a client's reply buffer is forgotten, in ms; -1: never. Redis's buffers shrink by it. */
  replyBufferPeakResetMs = REPLY_BUFFER_PEAK_RESET_MS;
  /** Whether the reply buffers of clients are adapted to their use. */
  resizesReplyBuffers = true;
}

/** The value that `replyBufferPeakResetMs` starts with. */
export const REPLY_BUFFER_PEAK_RESET_MS = 5000;
