// A session driven by Microsoft's own test client for debug adapters (npm: @vscode/debugadapter-testsupport).
// Arguments: Python, the script that starts the adapter, the folder of walk.wasm and walk.c, the line to stop at.
import { createRequire } from 'node:module';
import assert from 'node:assert';
import path from 'node:path';

const require = createRequire(process.env.LINDREF_NODE_FROM);
const { DebugClient } = require('@vscode/debugadapter-testsupport');
const [python, script, folder, line] = process.argv.slice(2);
const client = new DebugClient(python, script, 'lindref', undefined, true);
client.defaultTimeout = 30000;

await client.start();
const source = path.join(folder, 'walk.c');
const launch = { program: 'walk.wasm', root: folder, cwd: folder, stopAtEnd: true };

// Stops at a breakpoint, and looks around.
await client.hitBreakpoint(launch, { path: source, line: Number(line) });
const threads = (await client.threadsRequest()).body.threads;
assert.match(threads[0].name, /cage 1 · thread 1 · walk.wasm/);
const frames = (await client.stackTraceRequest({ threadId: 1 })).body.stackFrames;
assert.equal(frames[0].name, 'sum');
assert.equal(frames[1].name, '_start');
const scopes = (await client.scopesRequest({ frameId: frames[0].id })).body.scopes;
const locals = (await client.variablesRequest({ variablesReference: scopes[0].variablesReference })).body.variables;
assert.deepEqual(locals.map(v => v.name).sort(), ['list', 'p', 'total']);
const value = await client.evaluateRequest({ expression: 'p->at.x', frameId: frames[0].id, context: 'watch' });
assert.equal(value.body.result, '1');

// Forwards, and backwards.
async function stop(request, reason) {
    const [event] = await Promise.all([client.waitForEvent('stopped'), request]);
    assert.equal(event.body.reason, reason);
    return (await client.stackTraceRequest({ threadId: 1 })).body.stackFrames[0];
}
const next = await stop(client.nextRequest({ threadId: 1 }), 'step');
const back = await stop(client.stepBackRequest({ threadId: 1 }), 'step');
assert.equal(back.line, Number(line));
assert.notEqual(next.line, back.line);
await client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
await stop(client.continueRequest({ threadId: 1 }), 'end');
await client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'factorial', condition: 'n == 1' }] });
const deep = await stop(client.reverseContinueRequest({ threadId: 1 }), 'function breakpoint');
assert.equal(deep.name, 'factorial');
await client.stop();
console.log('done');
