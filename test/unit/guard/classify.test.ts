import { expect } from 'chai';
import fc from 'fast-check';
import { classify, type DeathFacts } from '../../../src/guard/classify.js';
import type { Cause } from '../../../src/guard/verdict.js';
import { facts, tcpInfo } from './facts.js';

const cause = (changes: Partial<DeathFacts>): Cause => classify(facts(changes)).cause;
const names = (changes: Partial<DeathFacts>): string[] =>
  classify(facts(changes)).evidence.map(({ fact }) => fact);
const standing = tcpInfo({ state: 1 });

describe('the cause', () => {
  it('is nat-eviction for a reset after silence with nothing outstanding', () => {
    const verdict = classify(facts());
    expect(verdict).to.deep.include({ cause: 'nat-eviction', code: 'ECONNRESET', silence: 60_000 });
    expect(verdict.evidence.map(({ fact }) => fact)).to.deep.equal(['silence', 'nothing-outstanding']);
  });

  it('is more certain when a probe or the first write was answered with the reset, or a known timeout explains it', () => {
    const plain = classify(facts()).confidence;
    expect(classify(facts({ probe: 'reset' })).confidence).to.be.above(plain);
    expect(names({ tcpInfo: tcpInfo({ probes: 1 }) })).to.include('answered-probe-with-reset');
    const written = { tcpInfo: tcpInfo({ bytesSent: 120, lastDataSent: 5 }) };
    expect(names(written)).to.include('answered-write-with-reset');
    const known = { knownTimeouts: [{ name: 'a balancer', idleTimeout: 60_000 }] };
    expect(classify(facts(known)).confidence).to.be.above(plain);
    expect(names(known)).to.include('near-known-timeout');
    expect(names({ knownTimeouts: [{ name: 'another', idleTimeout: 350_000 }] })).to.not.include(
      'near-known-timeout',
    );
  });

  it('is less certain when the last request had not been answered', () => {
    const asked = { tcpInfo: tcpInfo({ lastDataSent: 60_000, lastDataRecv: 80_000 }) };
    expect(names(asked)).to.include('unanswered-request');
    expect(classify(facts(asked)).confidence).to.be.below(classify(facts()).confidence);
  });

  it('is peer-reset for a reset in mid-traffic', () => {
    expect(cause({ silence: 20 })).to.equal('peer-reset');
    expect(cause({ silence: 20, probe: 'reset' })).to.equal('peer-reset');
  });

  it('follows what siblings say', () => {
    const lived = { fact: 'siblings-lived', weight: -3, detail: '' };
    expect(cause({ evidence: [lived] })).to.equal('peer-reset');
    const died = { fact: 'siblings-died', weight: 2, detail: '' };
    expect(classify(facts({ evidence: [died] })).confidence).to.be.above(classify(facts()).confidence);
  });

  it('is weighed cautiously where it is not known how long the peer was silent', () => {
    expect(cause({ tcpInfo: undefined, silence: undefined, isCutOff: false })).to.equal('peer-reset');
    expect(names({ tcpInfo: undefined, silence: undefined })).to.deep.equal(['silence-unknown']);
  });

  it('is path-timeout for a silent probe, an unanswered heartbeat and the kernel’s own timeout', () => {
    const timeout = { code: 'ETIMEDOUT' };
    expect(cause({ error: timeout, tcpInfo: standing, probe: 'silent', isCutOff: false })).to.equal(
      'path-timeout',
    );
    expect(cause({ error: { code: 'ERR_HOLDFAST_HEARTBEAT_TIMEOUT' }, tcpInfo: standing })).to.equal(
      'path-timeout',
    );
    expect(cause({ error: timeout, tcpInfo: tcpInfo({ lastAckRecv: 60_000, notsent: 5 }) })).to.equal(
      'path-timeout',
    );
    expect(cause({ error: timeout, tcpInfo: undefined })).to.equal('path-timeout');
  });

  it('is peer-stalled when the peer was acknowledging and took no data', () => {
    const stalled = tcpInfo({ lastAckRecv: 12, notsent: 5000 });
    expect(cause({ error: { code: 'ETIMEDOUT' }, tcpInfo: stalled })).to.equal('peer-stalled');
    expect(cause({ error: { code: 'ETIMEDOUT' }, tcpInfo: stalled, userTimeout: false })).to.equal(
      'peer-stalled',
    );
  });

  it('is peer-closed after the peer’s FIN, whatever came later', () => {
    expect(cause({ error: undefined, end: 'peer-first', isCutOff: false })).to.equal('peer-closed');
    expect(cause({ error: { code: 'EPIPE' }, end: 'peer-first' })).to.equal('peer-closed');
    for (const state of [8, 9, 11]) {
      expect(cause({ error: undefined, tcpInfo: tcpInfo({ state }), isCutOff: false })).to.equal(
        'peer-closed',
      );
    }
  });

  it('is local-close when this side closed, ended first or destroyed a standing connection', () => {
    expect(cause({ error: undefined, tcpInfo: standing, isCutOff: false })).to.equal('local-close');
    expect(cause({ error: undefined, tcpInfo: undefined, isCutOff: false })).to.equal('local-close');
    expect(cause({ error: undefined, end: 'local-first', isCutOff: false })).to.equal('local-close');
    for (const code of ['ETIMEDOUT', 'ECONNRESET', 'E_MINE', undefined]) {
      expect(cause({ error: { code }, tcpInfo: standing, isCutOff: false })).to.equal('local-close');
    }
  });

  it('is the network’s when the kernel had given up although nobody said so', () => {
    expect(cause({ error: undefined })).to.equal('nat-eviction');
    expect(cause({ error: undefined, silence: 10 })).to.equal('peer-reset');
    expect(cause({ error: { code: 'E_DRIVER' } })).to.equal('nat-eviction');
    expect(cause({ error: undefined, tcpInfo: tcpInfo({ retransmits: 3 }) })).to.equal('path-timeout');
    expect(cause({ error: undefined, tcpInfo: tcpInfo({ probes: 3 }) })).to.equal('path-timeout');
  });

  it('is unreachable when the network said so', () => {
    for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ECONNREFUSED']) {
      expect(cause({ error: { code } })).to.equal('unreachable');
    }
  });

  it('is unknown, with half a confidence, when nothing explains it', () => {
    const verdict = classify(facts({ error: { code: 'EWHAT' }, isCutOff: false }));
    expect(verdict).to.deep.include({ cause: 'unknown', confidence: 0.5 });
  });

  it('of a connection never made is told by its code', () => {
    const never = (code: string | undefined): Cause =>
      cause({
        connected: false,
        tcpInfo: undefined,
        isCutOff: false,
        error: code === undefined ? undefined : { code },
      });
    expect(never('ECONNREFUSED')).to.equal('refused');
    for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']) {
      expect(never(code)).to.equal('unreachable');
    }
    for (const code of ['ETIMEDOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'ERR_HOLDFAST_DEADLINE']) {
      expect(never(code)).to.equal('path-timeout');
    }
    expect(never('ECONNRESET')).to.equal('peer-reset');
    for (const code of [undefined, 'ABORT_ERR', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
      expect(never(code)).to.equal('local-close');
    }
    expect(never('EMFILE')).to.equal('unknown');
  });
});

describe('delivery', () => {
  const delivery = (changes: Partial<DeathFacts>): string => classify(facts(changes)).delivery;

  it('is never-sent when bytes wait and none is outstanding', () => {
    expect(delivery({ queued: 5 })).to.equal('never-sent');
    expect(delivery({ tcpInfo: tcpInfo({ notsent: 5 }) })).to.equal('never-sent');
  });

  it('is all-acknowledged when nothing waits and none is outstanding', () => {
    expect(delivery({})).to.equal('all-acknowledged');
    expect(delivery({ countsSyn: false, tcpInfo: tcpInfo({ bytesAcked: 100 }) })).to.equal(
      'all-acknowledged',
    );
  });

  it('is uncertain when a sent byte was not acknowledged, whatever waits behind it', () => {
    const outstanding = tcpInfo({ bytesSent: 101 });
    expect(delivery({ tcpInfo: outstanding })).to.equal('uncertain');
    expect(delivery({ tcpInfo: outstanding, queued: 5 })).to.equal('uncertain');
  });

  it('is uncertain where the kernel can not be asked, unless nothing was ever written', () => {
    expect(delivery({ tcpInfo: undefined, queued: 5 })).to.equal('uncertain');
    expect(delivery({ tcpInfo: undefined, handedOver: 0 })).to.equal('all-acknowledged');
  });

  it('is never-sent for a connection never made', () => {
    expect(delivery({ connected: false, tcpInfo: undefined, queued: 0 })).to.equal('never-sent');
  });
});

describe('any verdict', () => {
  const CAUSES: ReadonlySet<Cause> = new Set([
    'nat-eviction',
    'path-timeout',
    'peer-reset',
    'peer-closed',
    'peer-stalled',
    'refused',
    'unreachable',
    'local-close',
    'unknown',
  ]);
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  const anyInfo = fc
    .record({
      state: fc.integer({ min: 0, max: 12 }),
      unacked: fc.nat(50),
      retransmits: fc.nat(20),
      probes: fc.nat(20),
      lastDataSent: fc.nat(1e6),
      lastDataRecv: fc.nat(1e6),
      lastAckRecv: fc.nat(1e6),
      bytesSent: maybe(fc.nat(1e6)),
      bytesRetrans: maybe(fc.nat(1e3)),
      bytesAcked: maybe(fc.nat(1e6)),
      notsent: maybe(fc.nat(1e4)),
    })
    .map(fields => tcpInfo(fields));
  const code = fc.constantFrom(
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ECONNREFUSED',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'ERR_HOLDFAST_HEARTBEAT_TIMEOUT',
    'ABORT_ERR',
    'EWHAT',
    undefined,
  );
  const anyFacts: fc.Arbitrary<DeathFacts> = fc.record({
    error: maybe(fc.record({ code })),
    connected: fc.boolean(),
    tcpInfo: maybe(anyInfo),
    countsSyn: fc.boolean(),
    silence: maybe(fc.nat(1e7)),
    queued: fc.nat(1e4),
    handedOver: fc.nat(1e6),
    probe: fc.constantFrom('reset', 'silent', undefined),
    end: fc.constantFrom('none', 'peer-first', 'local-first'),
    isCutOff: fc.boolean(),
    userTimeout: fc.oneof(fc.constant<false>(false), fc.nat(1e6)),
    knownTimeouts: fc.array(fc.record({ name: fc.string(), idleTimeout: fc.nat(1e6) }), { maxLength: 3 }),
    evidence: fc.array(
      fc.record({
        fact: fc.string(),
        weight: fc.double({ min: -3, max: 3, noNaN: true }),
        detail: fc.string(),
      }),
      {
        maxLength: 3,
      },
    ),
    target: fc.constant(undefined),
    at: fc.nat(),
  });

  it('has one of the causes and a confidence within 0 and 1', () => {
    fc.assert(
      fc.property(anyFacts, given => {
        const verdict = classify(given);
        expect(CAUSES.has(verdict.cause)).to.equal(true);
        expect(verdict.confidence).to.be.within(0, 1);
        expect(verdict.evidence.length).to.be.above(0);
      }),
    );
  });

  it('never says never-sent of a connection with an outstanding byte, or with bytes it knows nothing of', () => {
    fc.assert(
      fc.property(anyFacts, given => {
        const { delivery, bytes } = classify(given);
        if (given.connected && (bytes.unacknowledged ?? given.handedOver) > 0)
          expect(delivery).to.equal('uncertain');
      }),
    );
  });

  it('depends on the facts alone', () => {
    fc.assert(
      fc.property(
        anyFacts,
        given => void expect(classify(given)).to.deep.equal(classify(structuredClone(given))),
      ),
    );
  });
});
