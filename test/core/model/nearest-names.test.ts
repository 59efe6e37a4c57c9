import test from 'ava';
import { didYouMean, nearestNames } from '../../../src/core/model/nearest-names.ts';

const projects = ['door', 'doors', 'garage', 'garden', 'hall', 'Kitchen'];

test('the nearest names come first, at most three, and distant names are left out', (t) => {
  t.deepEqual(nearestNames('dor', projects), ['door']);
  t.deepEqual(nearestNames('doorz', projects), ['door', 'doors']);
  t.deepEqual(nearestNames('kitchn', projects), ['Kitchen']);
  t.deepEqual(nearestNames('cellar', projects), []);
  t.deepEqual(nearestNames('a1', ['a2', 'a3', 'a4', 'a5', 'a2']), ['a2', 'a3', 'a4']);
});

test('a hint asks for the nearest names, and nothing if no name is near', (t) => {
  t.is(didYouMean('doorz', projects), 'Did you mean door or doors? ');
  t.is(didYouMean('cellar', projects), '');
});
