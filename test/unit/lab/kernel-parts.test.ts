import { expect } from 'chai';
import { compareTables, endpoint, parseConntrack } from '../../../src/lab/conntrack-table.js';
import { LabError, type Flow } from '../../../src/lab/index.js';
import { findLabTools } from '../../../src/lab/lab-tools.js';
import { conntrackSettings, natRules, parseCounters } from '../../../src/lab/nft-rules.js';

const FLOW4 = {
  client: '10.77.1.2:40998',
  server: '10.77.2.2:9000',
  translated: '10.77.2.1:1024',
  state: 'ESTABLISHED',
  expiresIn: 2000,
};

describe('conntrack table', () => {
  it('is read from /proc and from the conntrack tool, IPv6 shortened', () => {
    const fromProc = parseConntrack(
      [
        'ipv4     2 tcp      6 2 ESTABLISHED src=10.77.1.2 dst=10.77.2.2 sport=40998 dport=9000 src=10.77.2.2 dst=10.77.2.1 sport=9000 dport=1024 [ASSURED] mark=0 zone=0 use=2',
        'ipv4     2 udp      17 28 src=10.77.1.2 dst=10.77.2.2 sport=1 dport=53 [UNREPLIED] src=10.77.2.2 dst=10.77.2.1 sport=53 dport=1 mark=0 use=2',
        'ipv6     10 tcp      6 118 SYN_SENT src=fd77:0001:0000:0000:0000:0000:0000:0002 dst=fd77:0002:0000:0000:0000:0000:0000:0002 sport=5 dport=80 [UNREPLIED] src=fd77:0002:0000:0000:0000:0000:0000:0002 dst=fd77:0002:0000:0000:0000:0000:0000:0001 sport=80 dport=5 mark=0 use=2',
        '',
      ].join('\n'),
    );
    expect(fromProc).to.deep.equal([
      FLOW4,
      {
        client: '[fd77:1::2]:5',
        server: '[fd77:2::2]:80',
        translated: '[fd77:2::1]:5',
        state: 'SYN_SENT',
        expiresIn: 118_000,
      },
    ]);
    const fromTool =
      'tcp      6 2 ESTABLISHED src=10.77.1.2 dst=10.77.2.2 sport=40998 dport=9000 packets=3 bytes=164 src=10.77.2.2 dst=10.77.2.1 sport=9000 dport=1024 packets=2 bytes=112 [ASSURED] mark=0 use=1';
    expect(parseConntrack(fromTool)).to.deep.equal([FLOW4]);
  });

  it('tells a forgotten flow from one that closed', () => {
    const closed: Flow = { ...FLOW4, client: '10.77.1.2:2', state: 'TIME_WAIT' };
    const kept: Flow = { ...FLOW4, client: '10.77.1.2:3' };
    const fresh: Flow = { ...FLOW4, client: '10.77.1.2:4', state: 'SYN_SENT' };
    expect(compareTables([FLOW4, closed, kept], [{ ...kept, expiresIn: 1000 }, fresh])).to.deep.equal({
      appeared: [fresh],
      evicted: [FLOW4],
    });
  });

  it('names endpoints so that a port can be told from an address', () => {
    expect(endpoint('::1', 80)).to.equal('[::1]:80');
    expect(endpoint('127.0.0.1', '80')).to.equal('127.0.0.1:80');
  });
});

describe('nftables rules', () => {
  it('reset in one mode and only drop in the other', () => {
    expect(natRules('reset-on-packet').match(/reject with tcp reset/g)).to.have.length(2);
    expect(natRules('drop')).to.not.include('reject');
  });

  it('count refused packets by side', () => {
    const counter = (name: string, packets: number): object => ({
      counter: { family: 'inet', name, packets, bytes: 0 },
    });
    const json = JSON.stringify({
      nftables: [
        { metainfo: { version: '1' } },
        counter('reset_client', 2),
        counter('dropped_server', 3),
        counter('x', 9),
      ],
    });
    expect(parseCounters(json)).to.deep.equal({
      reset: { client: 2, server: 0 },
      dropped: { client: 0, server: 3 },
    });
  });

  it('never let a retransmission timeout cut a long idle timeout short', () => {
    const settings = conntrackSettings({ idleTimeout: 3_600_000, expiry: 'drop' });
    expect(settings.match(/^echo 3600 >/gm)).to.have.length(3);
    expect(conntrackSettings({ idleTimeout: 2000, expiry: 'drop' }).match(/^echo 300 >/gm)).to.have.length(2);
  });
});

describe('lab tools', () => {
  it('name every missing program and the packages that bring them', () => {
    expect(() => findLabTools('linux', ['/nonexistent'])).to.throw(
      LabError,
      'ip, nft, unshare, nsenter: not found (apt-get install nftables iproute2 util-linux)',
    );
  });

  it('are refused where there is no Linux', () => {
    expect(() => findLabTools('darwin')).to.throw(LabError, 'needs Linux, this is darwin');
  });
});
