import { readFile } from 'node:fs/promises';
import test from 'ava';
import { flashPicture, flashPicturePath } from '../../docs/pictures/draw-flash.ts';

test('the picture of the flash is the one that the model of the Updater gives today (npm run pictures)', async (t) => {
  t.is(await readFile(flashPicturePath, 'utf8'), flashPicture());
});
