/**
 * Where a figure comes from: `vendor`, the maker's or standard's own document; `secondary`, a document of someone
 * else; `memory`, common knowledge without a document.
 */
export type Confidence = 'vendor' | 'secondary' | 'memory';

/** What is known of one device that forgets idle flows. */
export interface Device {
  /** The preset's name. */
  readonly name: string;
  readonly title: string;
  /** Silence after which the flow is forgotten, as shipped, in ms. */
  readonly idleTimeout: number;
  /** What an operator can set it to, in ms; undefined where it is fixed or the range isn't known. */
  readonly configurable: { readonly min: number; readonly max: number } | undefined;
  /** Only application payload resets the timeout; TCP keepalive does not. */
  readonly payloadOnly: boolean;
  /** What a connection sees once its flow is forgotten. */
  readonly expiry: string;
  readonly expiryConfidence: Confidence;
  /** The document the timeout is from, by name. */
  readonly source: string;
  readonly confidence: Confidence;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Extra {
  readonly configurable?: readonly [min: number, max: number];
  readonly payloadOnly?: boolean;
  readonly expiryConfidence?: Confidence;
  readonly confidence?: Confidence;
}

function device(
  name: string,
  title: string,
  idleTimeout: number,
  expiry: string,
  source: string,
  { configurable, payloadOnly = false, expiryConfidence, confidence = 'vendor' }: Extra = {},
): Device {
  return Object.freeze({
    name,
    title,
    idleTimeout,
    configurable: configurable && Object.freeze({ min: configurable[0], max: configurable[1] }),
    payloadOnly,
    expiry,
    expiryConfidence: expiryConfidence ?? confidence,
    source,
    confidence,
  });
}

/** Every device whose figure has a document behind it. Names are stable: they are written into configuration. */
export const deviceRows: readonly Device[] = Object.freeze([
  device(
    'aws-nat-gateway',
    'AWS NAT Gateway',
    350 * SECOND,
    'a reset on the next packet',
    'AWS VPC guide, NAT gateway troubleshooting',
  ),
  device(
    'aws-nlb',
    'AWS Network Load Balancer',
    350 * SECOND,
    'nothing at first, a reset on the next packet',
    'AWS ELB guide, network load balancers, update idle timeout (fixed for TLS listeners)',
    { configurable: [60 * SECOND, 6000 * SECOND], expiryConfidence: 'secondary' },
  ),
  device(
    'aws-gateway-lb',
    'AWS Gateway Load Balancer',
    350 * SECOND,
    'later packets are dropped',
    'AWS ELB guide, gateway load balancers, update idle timeout',
    { configurable: [60 * SECOND, 6000 * SECOND], expiryConfidence: 'secondary' },
  ),
  device(
    'aws-alb',
    'AWS Application Load Balancer',
    60 * SECOND,
    'the balancer closes the connection',
    'AWS ELB guide, application load balancers, edit attributes',
    {
      payloadOnly: true,
    },
  ),
  device(
    'aws-classic-elb',
    'AWS Classic Load Balancer',
    60 * SECOND,
    'the balancer closes the connection',
    'AWS ELB guide, classic load balancers, configure idle timeout',
    {
      configurable: [SECOND, HOUR],
      payloadOnly: true,
    },
  ),
  device(
    'aws-network-firewall',
    'AWS Network Firewall',
    350 * SECOND,
    'packets are dropped until a new SYN',
    'AWS Network Firewall API reference, FlowTimeouts',
    {
      configurable: [60 * SECOND, 6000 * SECOND],
    },
  ),
  device(
    'aws-ec2',
    'AWS EC2 security group tracking',
    5 * DAY,
    'packets are dropped silently',
    'AWS EC2 API reference, ConnectionTrackingConfiguration',
  ),
  device(
    'aws-ec2-nitro-v6',
    'AWS EC2 security group tracking on Nitro v6',
    350 * SECOND,
    'packets are dropped silently',
    'AWS EC2 API reference, ConnectionTrackingConfiguration',
  ),
  device(
    'azure-load-balancer',
    'Azure Load Balancer',
    4 * MINUTE,
    'packets are dropped silently; with TCP Reset turned on, a reset to both ends when the timeout ends',
    'Microsoft Learn, Load Balancer TCP idle timeout and TCP reset',
    { configurable: [4 * MINUTE, 100 * MINUTE] },
  ),
  device(
    'azure-nat-gateway',
    'Azure NAT Gateway',
    4 * MINUTE,
    'a reset to the sender on the next packet',
    'Microsoft Learn, NAT gateway resource',
    {
      configurable: [4 * MINUTE, 120 * MINUTE],
    },
  ),
  device('azure-firewall', 'Azure Firewall', 4 * MINUTE, 'a reset', 'Microsoft Learn, Azure Firewall FAQ'),
  device(
    'google-cloud-nat',
    'Google Cloud NAT',
    20 * MINUTE,
    'packets are dropped silently',
    'Google Compute API reference, RouterNat',
    {
      expiryConfidence: 'secondary',
    },
  ),
  device(
    'google-vpc',
    'Google VPC firewall',
    10 * MINUTE,
    'packets are dropped silently',
    'Google VPC firewall figure, as quoted in GitLab charts issue 2519',
    {
      confidence: 'secondary',
    },
  ),
  device(
    'alibaba-clb',
    'Alibaba Cloud CLB (TCP)',
    15 * MINUTE,
    'a reset to both ends when the timeout ends',
    'Alibaba Cloud, CLB TCP listener',
    {
      configurable: [10 * SECOND, 900 * SECOND],
    },
  ),
  device(
    'oracle-nlb',
    'Oracle Cloud Network Load Balancer',
    6 * MINUTE,
    'the balancer closes the connection',
    "Oracle Cloud, changing a listener's idle timeout",
  ),
  device(
    'huawei-elb',
    'Huawei Cloud ELB (TCP)',
    5 * MINUTE,
    'the balancer closes the connection',
    'Huawei Cloud, ELB FAQ 0309',
    {
      configurable: [10 * SECOND, 4000 * SECOND],
    },
  ),
  device(
    'ipvs',
    'IPVS: kube-proxy, Docker Swarm',
    15 * MINUTE,
    'nothing at first; the next packet is dropped or reset',
    'moby/moby issue 31208, kubernetes/kubernetes issue 84041',
    {
      confidence: 'secondary',
    },
  ),
  device(
    'linux-conntrack',
    'Linux netfilter (nf_conntrack)',
    5 * DAY,
    'packets are dropped silently',
    'Linux kernel documentation, nf_conntrack sysctl',
    {
      expiryConfidence: 'memory',
    },
  ),
  device('pfsense', 'pfSense', DAY, 'packets are dropped silently', 'pfSense documentation, state timeouts'),
  device(
    'cisco-asa',
    'Cisco ASA',
    HOUR,
    'packets are dropped silently, or a reset where `reset` is configured',
    'Cisco document 222075',
  ),
  device('fortigate', 'FortiGate', HOUR, 'packets are dropped', 'Fortinet KB 194357'),
  device(
    'palo-alto',
    'Palo Alto Networks',
    HOUR,
    'packets are dropped',
    'Palo Alto Networks, configure session timeouts',
  ),
  device('juniper-srx', 'Juniper SRX', 30 * MINUTE, 'the session ages out', 'Juniper KB34994'),
  device(
    'mikrotik',
    'MikroTik RouterOS',
    DAY,
    'the entry is removed, sooner while the table is nearly full',
    'MikroTik wiki, connection tracking',
  ),
  device(
    'nginx-stream',
    'nginx stream proxy',
    10 * MINUTE,
    'the proxy closes the connection',
    'nginx documentation, stream proxy module, proxy_timeout',
    {
      payloadOnly: true,
    },
  ),
  device(
    'heroku-router',
    'Heroku router',
    55 * SECOND,
    'the router closes the connection',
    'Heroku Dev Center, request timeout',
    {
      payloadOnly: true,
    },
  ),
  device(
    'rfc5382',
    'A NAT that keeps RFC 5382',
    7440 * SECOND,
    'not laid down',
    'RFC 5382, REQ-5: at least 2 hours 4 minutes',
  ),
]);
