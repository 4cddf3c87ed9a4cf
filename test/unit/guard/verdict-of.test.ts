import { expect } from 'chai';
import { Socket } from 'node:net';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import { classify } from '../../../src/guard/classify.js';
import { verdictOf } from '../../../src/guard/verdict-of.js';
import { facts } from './facts.js';

const verdict = classify(facts());
function judged(message = 'read ECONNRESET'): Error {
  const error = new Error(message);
  rememberVerdict(error, verdict);
  return error;
}

describe('verdictOf', () => {
  it('finds the verdict of an error', () => {
    expect(verdictOf(judged())).to.equal(verdict);
  });

  it('follows cause through what drivers wrap around it', () => {
    expect(verdictOf(new Error('query failed', { cause: new Error('lost', { cause: judged() }) }))).to.equal(
      verdict,
    );
    expect(verdictOf({ cause: judged() })).to.equal(verdict);
  });

  it('looks into an AggregateError', () => {
    expect(verdictOf(new AggregateError([new Error('one'), new Error('two', { cause: judged() })]))).to.equal(
      verdict,
    );
  });

  it('ends at a circular cause', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect(verdictOf(first)).to.equal(undefined);
    const hub = new AggregateError([first, judged()], 'hub', { cause: first });
    second.cause = hub;
    expect(verdictOf(first)).to.equal(verdict);
  });

  it('knows nothing of what is no error, or of a socket that was not hardened', () => {
    for (const value of [undefined, null, 0, 'ECONNRESET', {}, new Error('x'), new Socket()]) {
      expect(verdictOf(value)).to.equal(undefined);
    }
  });

  it('keeps the first verdict of an error that is passed on to other sockets', () => {
    const error = judged();
    rememberVerdict(error, classify(facts({ silence: 5 })));
    expect(verdictOf(error)).to.equal(verdict);
  });

  it('leaves a frozen error alone', () => {
    const error = Object.freeze(new Error('frozen'));
    rememberVerdict(error, verdict);
    expect(verdictOf(error)).to.equal(undefined);
  });

  it('adds nothing that is seen when the error is printed or copied', () => {
    expect(Object.keys(judged())).to.deep.equal([]);
    expect(Object.assign({}, judged())).to.deep.equal({});
  });
});
