import { expect } from 'chai';
import fc from 'fast-check';
import {
  acknowledgedBytes,
  countsSyn,
  decodeTcpInfo,
  unacknowledgedBytes,
  type TcpInfo,
} from '../../../src/kernel/tcp-info.js';

const FULL_BYTES = 232;

function sample(): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(2, 2);
  bytes.writeUInt8(3, 3);
  bytes.writeUInt8(4, 4);
  bytes.writeUInt32LE(5, 24);
  bytes.writeUInt32LE(600, 44);
  bytes.writeUInt32LE(700, 52);
  bytes.writeUInt32LE(800, 56);
  bytes.writeUInt32LE(9500, 68);
  bytes.writeUInt32LE(10, 100);
  bytes.writeBigUInt64LE(2n ** 40n + 1n, 120);
  bytes.writeBigUInt64LE(12n, 128);
  bytes.writeUInt32LE(13, 144);
  bytes.writeBigUInt64LE(2n ** 40n + 7n, 200);
  bytes.writeBigUInt64LE(7n, 208);
  bytes.writeUInt32LE(64_000, 228);
  return bytes;
}

describe('TCP_INFO', () => {
  it('is decoded field by field', () => {
    expect(decodeTcpInfo(sample(), FULL_BYTES)).to.deep.equal({
      state: 1,
      retransmits: 2,
      probes: 3,
      backoff: 4,
      unacked: 5,
      lastDataSent: 600,
      lastDataRecv: 700,
      lastAckRecv: 800,
      rtt: 9.5,
      totalRetrans: 10,
      bytesAcked: 2 ** 40 + 1,
      bytesReceived: 12,
      notsent: 13,
      bytesSent: 2 ** 40 + 7,
      bytesRetrans: 7,
      sendWindow: 64_000,
    });
  });

  it('has only the fields an older kernel returned, and never reads past them', () => {
    const present = (length: number): string[] =>
      Object.entries(decodeTcpInfo(sample(), length) ?? {})
        .filter(([, value]) => value !== undefined)
        .map(([name]) => name);
    const oldest = present(104);
    expect(oldest).to.include('totalRetrans').and.not.include('bytesAcked');
    expect(present(128)).to.deep.equal([...oldest, 'bytesAcked']);
    expect(present(127)).to.deep.equal(oldest);
    expect(present(148)).to.include('notsent').and.not.include('bytesSent');
    expect(present(231)).to.include('bytesRetrans').and.not.include('sendWindow');
    expect(present(232)).to.include('sendWindow');
  });

  it('is refused when shorter than its oldest form', () => {
    for (const length of [0, 1, 103]) expect(decodeTcpInfo(sample(), length)).to.equal(undefined);
  });

  it('is decoded whatever the length, and a longer answer never loses a field', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.nat(512), (content, length) => {
        const bytes = Buffer.from(content);
        const shorter = decodeTcpInfo(bytes, length);
        const longer = decodeTcpInfo(bytes, Math.min(512, length + 8));
        if (shorter === undefined) return;
        for (const [name, value] of Object.entries(shorter)) {
          if (value !== undefined) expect(longer?.[name as keyof TcpInfo]).to.equal(value);
        }
      }),
    );
  });
});

describe('byte counts', () => {
  const info = (fields: Partial<TcpInfo>): TcpInfo => ({
    ...(decodeTcpInfo(Buffer.alloc(512), FULL_BYTES) as TcpInfo),
    state: 7,
    ...fields,
  });

  it('leave out the SYN of the side that connected', () => {
    const connected = info({ bytesSent: 10, bytesAcked: 11 });
    expect(acknowledgedBytes(connected)).to.equal(10);
    expect(unacknowledgedBytes(connected)).to.equal(0);
    expect(unacknowledgedBytes(info({ bytesSent: 10, bytesAcked: 10 }))).to.equal(1);
  });

  it('count from zero on the side that accepted', () => {
    const accepted = info({ bytesSent: 10, bytesAcked: 10 });
    expect(acknowledgedBytes(accepted, false)).to.equal(10);
    expect(unacknowledgedBytes(accepted, false)).to.equal(0);
  });

  it('leave out an acknowledged FIN', () => {
    const ended = info({ bytesSent: 10, bytesAcked: 12 });
    expect(acknowledgedBytes(ended)).to.equal(10);
    expect(unacknowledgedBytes(ended)).to.equal(0);
  });

  it('count a retransmitted byte once', () => {
    const lossy = info({ bytesSent: 30, bytesRetrans: 20, bytesAcked: 1 });
    expect(unacknowledgedBytes(lossy)).to.equal(10);
  });

  it('are exact on a standing connection with no segment in flight, whatever the SYN', () => {
    expect(unacknowledgedBytes(info({ state: 1, unacked: 0, bytesSent: 10, bytesAcked: 10 }))).to.equal(0);
    expect(unacknowledgedBytes(info({ state: 1, unacked: 1, bytesSent: 10, bytesAcked: 10 }))).to.equal(1);
  });

  it('are unknown where the kernel does not count', () => {
    expect(unacknowledgedBytes(info({ bytesSent: undefined, bytesAcked: 4 }))).to.equal(undefined);
    expect(acknowledgedBytes(info({ bytesSent: 4, bytesAcked: undefined }))).to.equal(undefined);
  });

  it('tell which side of the connection this is, and only while that shows', () => {
    const standing = { state: 1, unacked: 0, bytesSent: 5, bytesRetrans: 0 };
    expect(countsSyn(info({ ...standing, bytesAcked: 6 }))).to.equal(true);
    expect(countsSyn(info({ ...standing, bytesAcked: 5 }))).to.equal(false);
    expect(countsSyn(info({ ...standing, bytesAcked: 7 }))).to.equal(undefined);
    expect(countsSyn(info({ ...standing, bytesAcked: 5, unacked: 1 }))).to.equal(undefined);
    expect(countsSyn(info({ ...standing, bytesAcked: 6, state: 7 }))).to.equal(undefined);
    expect(countsSyn(info({ ...standing, bytesAcked: undefined }))).to.equal(undefined);
  });

  it('never take a byte for acknowledged that was not: in doubt one too many is outstanding', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), (sent, acked) => {
        const facts = info({ bytesSent: sent, bytesAcked: acked });
        expect(unacknowledgedBytes(facts, true)).to.be.at.least(unacknowledgedBytes(facts, false) ?? NaN);
      }),
    );
  });
});
