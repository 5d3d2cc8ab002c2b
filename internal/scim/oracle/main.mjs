// Reads {modules, patches, filters} from stdin and writes what scim-patch and
// scim2-parse-filter make of them, each by its index.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const asked = JSON.parse(await text(process.stdin));
const require = createRequire(join(asked.modules, 'package.json'));
const { scimPatch } = require('scim-patch');
const { parse, filter } = require('scim2-parse-filter');

const attempt = (make) => {
  try {
    return { ok: true, value: make() };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
};

process.stdout.write(JSON.stringify({
  patches: asked.patches.map(({ resource, operations }) =>
    attempt(() => scimPatch(resource, operations, { mutateDocument: false, treatMissingAsAdd: true }))),
  filters: asked.filters.map((text) => attempt(() => {
    const matches = filter(parse(text));
    return asked.resources.map((r) => matches(r));
  })),
}));
