// What the browser tests stand on, itself: a server that does not come up leaves nothing behind.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Doorlight } from "./support.mjs";

/** A program that writes down its process and its data folder, and then does `rest`. */
function program(folder, rest) {
  const path = join(folder, "program");
  writeFileSync(join(folder, "begun"), "");
  const script = `#!/bin/sh\necho "$$ $3" > ${join(folder, "begun")}\n${rest}\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

for (const [name, rest, why, waits] of [
  ["never becomes ready", "exec sleep 600", /not ready/, true],
  ["ends at once", "echo broken >&2; exit 3", /the server ended/, false],
]) {
  test(`a server that ${name} is gone afterwards, and its folder too`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "doorlight-program-"));
    const begun = () => readFileSync(join(folder, "begun"), "utf8");
    const enough = () => waits && begun().endsWith("\n");
    try {
      await assert.rejects(Doorlight.start({ bin: program(folder, rest), enough }), why);
      const [process_id, data] = begun().trim().split(" ");
      assert.throws(() => process.kill(Number(process_id), 0), { code: "ESRCH" });
      assert.throws(() => readFileSync(join(data, "..")), { code: "ENOENT" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("a program that is not there is a failure, not a wait", async () => {
  await assert.rejects(Doorlight.start({ bin: "/nowhere/doorlight" }), { code: "ENOENT" });
});
