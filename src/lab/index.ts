/** A NAT to test against: `holdfast/lab`. */
export { createNatLab } from './create-nat-lab.js';
export { LabError } from './lab-error.js';
export type { Flow, FlowEvent, NatLab, NatLabEvents, PacketEvent, Route, Side } from './nat-lab.js';
export type { BackendName, Expiry, NatLabOptions, NatSettings } from './options.js';
