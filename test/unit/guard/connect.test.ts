import { expect } from 'chai';
import { splitConnectOptions } from '../../../src/guard/connect.js';
import { Holdfast } from '../../../src/index.js';

/** What net.connect and tls.connect document: none of these may be taken for a mistyped option of ours. */
const NODES =
  'host port localAddress localPort hints family lookup noDelay keepAlive keepAliveInitialDelay autoSelectFamily ' +
  'autoSelectFamilyAttemptTimeout blockList onread signal timeout allowHalfOpen fd highWaterMark pskCallback ' +
  'ALPNProtocols ALPNCallback servername checkServerIdentity session requestOCSP minDHSize ca cert sigalgs ciphers ' +
  'clientCertEngine crl dhparam ecdhCurve honorCipherOrder key privateKeyEngine privateKeyIdentifier maxVersion ' +
  'minVersion passphrase pfx secureContext secureOptions secureProtocol sessionIdContext ticketKeys sessionTimeout ' +
  'enableTrace rejectUnauthorized requestCert SNICallback tls allowPartialTrustChain typeOfService';

describe('options of connect', () => {
  it('are taken apart: ours, and everything Node documents', () => {
    const nodes = { ...Object.fromEntries(NODES.split(' ').map(name => [name, 1])), tls: true };
    const ours = { probeAfterIdle: '1s', keepalive: { idle: '1s' }, strict: true };
    expect(splitConnectOptions({ ...nodes, ...ours })).to.deep.equal({ target: nodes, own: ours });
  });

  it('with a mistyped name of ours are refused with the right one', () => {
    const options = { port: 1, probeAfterIdel: '1s' };
    expect(() => new Holdfast().connect(options)).to.throw(/probeAfterIdel.*did you mean probeAfterIdle/);
  });

  for (const tls of ['no', 5, null]) {
    it(`refuse tls = ${String(tls)}, which would otherwise be taken for yes or no`, () => {
      const options = { port: 1, tls } as unknown as Parameters<Holdfast['connect']>[0];
      const refused = { code: 'ERR_HOLDFAST_ARGUMENT' };
      expect(() => new Holdfast().connect(options))
        .to.throw(/tls = /)
        .that.includes(refused);
      expect(() => new Holdfast().createReconnectingSocket(options))
        .to.throw(/tls = /)
        .that.includes(refused);
    });
  }
});
