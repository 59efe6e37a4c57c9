import { SendForm } from '../../../../server/http/dashboard/send-form.tsx';
import type { NewDevice } from '../local-fleet.ts';
import type { UnlistedDevice } from '../sightings.ts';
import { LocalPage, type Notice, NoticeText } from './layout.tsx';

interface AddPageProps {
  readonly found: UnlistedDevice;
  /** Values of the form. */
  readonly device: NewDevice;
  /** Boards of the project and of its builds. */
  readonly boards: readonly string[];
  readonly problem: Notice | undefined;
  readonly formToken: string;
}

export function AddPage({ found, device, boards, problem, formToken }: AddPageProps) {
  const announced = found.services.find(({ board }) => board !== undefined)?.board;
  const [only, ...others] = boards;
  const suggested = others.length === 0 ? (only ?? '') : '';
  return (
    <LocalPage title={`Add ${found.host}`}>
      <div class="single">
        <h1>Add {found.host}</h1>
        {problem === undefined ? undefined : <NoticeText {...problem} />}
        <p>
          The device announces {announced === undefined ? 'no board' : `board ${announced}`}. Add it only if it is yours
          and runs firmware of this project.
        </p>
        <SendForm action="add" formToken={formToken}>
          <input type="hidden" name="host" value={found.host} />
          <div class="field">
            <label for="name">Name</label>
            <input
              id="name"
              name="name"
              value={device.name}
              maxlength={64}
              required
              autocomplete="off"
              spellcheck={false}
            />
          </div>
          <div class="field">
            <label for="board">Board that the firmware is built for</label>
            <input
              id="board"
              name="board"
              value={device.board === '' ? suggested : device.board}
              list="boards"
              maxlength={64}
              required
              autocomplete="off"
              spellcheck={false}
            />
            <datalist id="boards">
              {boards.map((board) => (
                <option value={board} />
              ))}
            </datalist>
          </div>
          {problem === undefined || announced === undefined ? undefined : (
            <label class="check">
              <input type="checkbox" name="same-board" value="yes" checked={device.isSameBoard} />
              {announced} is the same board
            </label>
          )}
          <div class="buttons">
            <button class="main" type="submit">
              Add
            </button>
            <a class="button" href="./">
              Cancel
            </a>
          </div>
        </SendForm>
      </div>
    </LocalPage>
  );
}
