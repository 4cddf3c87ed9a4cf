import { deviceRows, type Confidence, type Device } from './devices.js';

/** A named NAT, balancer or firewall: what is known of it and the settings that keep a connection alive behind it. */
export interface Preset extends Device {
  readonly settings: {
    /** In milliseconds, whole seconds. */
    readonly keepalive: { readonly idle: number; readonly interval: number; readonly count: number };
    /** Where only payload counts: the heartbeat's interval, in ms. Sending what is the caller's part. */
    readonly heartbeatInterval: number | undefined;
  };
}

export type { Confidence };

/** No preset waits longer than this, however patient its device: a dead peer should be noticed within minutes. */
const LONGEST_IDLE = 120_000;
const INTERVAL = 10_000;
const COUNT = 3;

/**
 * Every preset, in the order of the documentation. Keepalive starts after a third of the device's timeout, at most
 * two minutes, so a keepalive may be lost and be repeated twice before the device forgets the flow.
 */
export const presets: readonly Preset[] = Object.freeze(deviceRows.map(toPreset));

const byName = new Map(presets.map(preset => [preset.name, preset]));

/** The names `preset` and HOLDFAST_PRESET take. */
export const presetNames: readonly string[] = Object.freeze([...byName.keys()]);

/** The preset of that name, or undefined. */
export function findPreset(name: string): Preset | undefined {
  return byName.get(name);
}

/** One idle timeout that a silence can be compared with. */
export interface KnownTimeout {
  /** The preset's name. */
  readonly name: string;
  /** In ms. */
  readonly idleTimeout: number;
}

const timeouts: readonly KnownTimeout[] = Object.freeze(
  presets
    .map(({ name, idleTimeout }) => Object.freeze({ name, idleTimeout }))
    .sort((a, b) => a.idleTimeout - b.idleTimeout),
);

/** The idle timeouts of all presets, shortest first: a verdict's evidence when a silence ended near one of them. */
export function knownTimeouts(): readonly KnownTimeout[] {
  return timeouts;
}

function toPreset(device: Device): Preset {
  const idle = Math.min(LONGEST_IDLE, wholeSeconds(device.idleTimeout / 3));
  const heartbeatInterval = device.payloadOnly
    ? Math.min(LONGEST_IDLE, wholeSeconds(device.idleTimeout / 2))
    : undefined;
  const keepalive = Object.freeze({ idle, interval: INTERVAL, count: COUNT });
  return Object.freeze({ ...device, settings: Object.freeze({ keepalive, heartbeatInterval }) });
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}
