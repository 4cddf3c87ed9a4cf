import fc from 'fast-check';

/** A value that fast-check itself can't hold (it looks into what it generates): made when it is needed. */
export class Odd {
  readonly #name: string;
  readonly make: () => unknown;
  constructor(name: string, make: () => unknown) {
    this.#name = name;
    this.make = make;
  }
  toString(): string {
    return this.#name;
  }
}

/** What is to be passed: the value itself, or what an {@link Odd} makes. */
export function unwrap(value: unknown): unknown {
  return value instanceof Odd ? value.make() : value;
}

export const odd: fc.Arbitrary<unknown> = fc.constantFrom(
  new Odd('symbol', () => Symbol('odd')),
  new Odd('valueOf', () => ({ valueOf: () => 30_000 })),
  new Odd(
    'class instance',
    () =>
      new (class Duration {
        ms = 30_000;
      })(),
  ),
  new Odd('promise', () => Promise.resolve(30_000)),
  new Odd('bound function', () => Math.max.bind(undefined)),
  new Odd('revoked proxy', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }),
  new Odd('list whose traps throw', () => {
    const get = (): never => {
      throw new Error('trap');
    };
    return new Proxy([], { get, has: get, ownKeys: get, getPrototypeOf: get });
  }),
  new Odd('endless list', () => {
    const get = (list: unknown[], name: string | symbol): unknown =>
      name === 'length' ? 2 ** 40 : Reflect.get(list, name);
    return new Proxy([], { get });
  }),
  new Odd('cyclic list', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    return cyclic;
  }),
);

export const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Text near what an option takes: right, nearly right and wrong. */
export const durationText = fc
  .tuple(
    fc.constantFrom('', '', '', '-', '+', ' '),
    fc.oneof(
      fc.nat(40_000).map(String),
      fc.constantFrom('0', '0.5', '1.5', '.5', '1e3', '', '32767', '32768'),
    ),
    fc.constantFrom('', 'ms', 's', 's', 'm', 'h', 'd', ' s', 'S', 'sec', 'y', '\n'),
  )
  .map(parts => parts.join(''));
export const word = fc.constantFrom(
  ...[
    'nat',
    'any',
    'auto',
    'node',
    'koffi',
    'net-keepalive',
    'aws-alb',
    'rfc5382',
    'AWS-ALB',
    'true',
    'false',
    'on',
  ],
  ...[
    'off',
    'yes',
    'No',
    '1',
    '0',
    '2',
    'a,b',
    'a,,b',
    ',',
    ' a ',
    'Infinity',
    'NaN',
    'null',
    'constructor',
    '3',
    '3.0',
  ],
);
export const edge = fc.constantFrom(
  ...[
    -1, -0, 0, 0.5, 1, 1.5, 3, 10, 10.5, 127, 128, 999, 999.5, 1000, 1000.5, 1001, 10_000, 60_000, 60_000.5,
    60_001,
  ],
  ...[
    32_767_000,
    32_767_000.5,
    32_767_001,
    2 ** 31 - 1,
    2 ** 31 - 0.5,
    2 ** 31,
    2 ** 53 - 1,
    2 ** 53,
    Infinity,
    NaN,
  ],
);
export const value = fc.oneof(
  { weight: 4, arbitrary: edge },
  { weight: 2, arbitrary: fc.double() },
  { weight: 3, arbitrary: durationText },
  { weight: 4, arbitrary: word },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(true, false, null, undefined) },
  { weight: 2, arbitrary: fc.constant<unknown>(() => true) },
  { weight: 1, arbitrary: fc.array(fc.oneof(word, anything), { maxLength: 3 }) },
  { weight: 2, arbitrary: anything },
  { weight: 1, arbitrary: odd },
);
