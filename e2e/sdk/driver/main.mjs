// Drives the Box simulator through Box's official SDK. Each check prints one line of JSON: name, ok, detail.
import { runAll } from './kit.mjs';
import './users.mjs';
import './groups.mjs';
import './folders.mjs';
import './files.mjs';
import './trash.mjs';
import './sharing.mjs';
import './governance.mjs';
import './transfer.mjs';
import './events.mjs';
import './tokens.mjs';
import './errors.mjs';

await runAll();
