/**
 * Linux's `struct tcp_info`, decoded. Times are milliseconds. A field the running kernel does not report
 * (it returned fewer bytes) is `undefined`.
 *
 * Source: include/uapi/linux/tcp.h. Offsets measured on Linux 6.18; the struct only ever grows at its end.
 */
export interface TcpInfo {
  /** TCP state: 1 ESTABLISHED, 7 CLOSE (after a reset or timeout), 8 CLOSE_WAIT (the peer sent a FIN). */
  readonly state: number;
  /** Unanswered retransmissions of the oldest unacknowledged segment. */
  readonly retransmits: number;
  /** Unanswered keepalive or zero-window probes. */
  readonly probes: number;
  readonly backoff: number;
  /** Segments in flight. Zero once the connection is closed: use the byte counts. */
  readonly unacked: number;
  /** Milliseconds since data was last sent. Meaningless on a socket that never connected. */
  readonly lastDataSent: number;
  readonly lastDataRecv: number;
  /** Milliseconds since the peer last acknowledged anything, keepalives included. */
  readonly lastAckRecv: number;
  /** Smoothed round trip, milliseconds with fractions. */
  readonly rtt: number;
  readonly totalRetrans: number;
  /**
   * Bytes the peer's kernel (or a proxy) acknowledged. On the side that connected the SYN counts one; an acknowledged FIN
   * counts one more on either side.
   */
  readonly bytesAcked: number | undefined;
  /** Bytes received in order, read by the application or not; the peer's FIN counts one. */
  readonly bytesReceived: number | undefined;
  /** Bytes in the kernel's send queue that never left this host. */
  readonly notsent: number | undefined;
  /** Bytes sent, retransmissions included. */
  readonly bytesSent: number | undefined;
  readonly bytesRetrans: number | undefined;
  /** The peer's receive window in bytes; 0 means it is alive and not reading. */
  readonly sendWindow: number | undefined;
}

export const TCP_ESTABLISHED = 1;
export const TCP_CLOSE = 7;
export const TCP_CLOSE_WAIT = 8;

/** Size to ask for: more than any kernel returns today. */
export const TCP_INFO_BUFFER_BYTES = 512;

const MINIMUM_BYTES = 104;

/**
 * Decodes what `getsockopt(TCP_INFO)` wrote.
 * @param bytes the buffer
 * @param length how many bytes the kernel said it wrote
 * @returns undefined when the kernel returned less than the struct's oldest form
 */
export function decodeTcpInfo(bytes: Buffer, length: number): TcpInfo | undefined {
  if (length < MINIMUM_BYTES) return undefined;
  const u64 = (offset: number): number | undefined =>
    offset + 8 <= length ? bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32 : undefined;
  const u32 = (offset: number): number | undefined =>
    offset + 4 <= length ? bytes.readUInt32LE(offset) : undefined;
  return {
    state: bytes.readUInt8(0),
    retransmits: bytes.readUInt8(2),
    probes: bytes.readUInt8(3),
    backoff: bytes.readUInt8(4),
    unacked: bytes.readUInt32LE(24),
    lastDataSent: bytes.readUInt32LE(44),
    lastDataRecv: bytes.readUInt32LE(52),
    lastAckRecv: bytes.readUInt32LE(56),
    rtt: bytes.readUInt32LE(68) / 1000,
    totalRetrans: bytes.readUInt32LE(100),
    bytesAcked: u64(120),
    bytesReceived: u64(128),
    notsent: u32(144),
    bytesSent: u64(200),
    bytesRetrans: u64(208),
    sendWindow: u32(228),
  };
}

/**
 * Whether `bytes_acked` counts a SYN, as it does on the side that connected and not on the side that accepted. It shows
 * only while nothing is in flight and no FIN was sent; undefined otherwise.
 */
export function countsSyn(info: TcpInfo): boolean | undefined {
  const { state, unacked, bytesAcked } = info;
  const sent = sentBytes(info);
  if (sent === undefined || bytesAcked === undefined || unacked !== 0) return undefined;
  if (state !== TCP_ESTABLISHED && state !== TCP_CLOSE_WAIT) return undefined;
  const extra = bytesAcked - sent;
  return extra === 1 ? true : extra === 0 ? false : undefined;
}

/** Payload bytes that left this host, each counted once; undefined where the kernel does not count them. */
export function sentBytes({ bytesSent, bytesRetrans }: TcpInfo): number | undefined {
  return bytesSent === undefined || bytesRetrans === undefined ? undefined : bytesSent - bytesRetrans;
}

/**
 * Payload bytes that were acknowledged; undefined where the kernel does not count them. A FIN that was acknowledged
 * counts one in the kernel, and then everything was, hence the ceiling.
 * @param synCounted see {@link countsSyn}; when in doubt `true`, which never takes a byte for acknowledged that was not
 */
export function acknowledgedBytes(info: TcpInfo, synCounted = true): number | undefined {
  const sent = sentBytes(info);
  if (sent === undefined || info.bytesAcked === undefined) return undefined;
  return Math.min(sent, Math.max(0, info.bytesAcked - (synCounted ? 1 : 0)));
}

/** Payload bytes that left this host and were not acknowledged; undefined where the kernel does not count them. */
export function unacknowledgedBytes(info: TcpInfo, synCounted = true): number | undefined {
  const sent = sentBytes(info);
  const acknowledged = acknowledgedBytes(info, synCounted);
  if (sent === undefined || acknowledged === undefined) return undefined;
  // The number of segments in flight is exact while the connection stands; at its end it is zeroed.
  return info.state !== TCP_CLOSE && info.unacked === 0 ? 0 : sent - acknowledged;
}
