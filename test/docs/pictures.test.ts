import { readFile } from 'node:fs/promises';
import test from 'ava';
import { flashPicture, flashPicturePath } from '../../docs/pictures/draw-flash.ts';

test('the flash picture matches the Updater model (npm run pictures)', async (t) => {
  t.is(await readFile(flashPicturePath, 'utf8'), flashPicture());
});
