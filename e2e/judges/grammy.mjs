// Asks grammY. Reads one JSON document from standard input and writes one to standard output.
//   {updates: [update …], filters: [query …], me}  → [{fired: [query …]} or {error} …]
//   {calls: [{method, body} …]}                    → [{body, problems} …]: what grammY itself would send, and what the
//                                                    TypeScript types of its Bot API say of ours
import {readFileSync} from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Api, Bot} from 'grammy';
import ts from 'typescript';

const input = JSON.parse(readFileSync(0, 'utf8'));

async function handle(update) {
  const bot = new Bot('1:x', {botInfo: input.me});
  const fired = [];
  for (const query of input.filters) {
    bot.on(query, (_, next) => { fired.push(query); return next(); });
  }
  return bot.handleUpdate(update).then(() => ({fired}), error => ({error: String(error)}));
}

// positional are the leading arguments of grammY's methods; everything else is its last argument.
const positional = {
  sendMessage: ['chat_id', 'text'], sendChatAction: ['chat_id', 'action'], answerCallbackQuery: ['callback_query_id'], setWebhook: ['url'],
  deleteWebhook: [], getMe: [], getWebhookInfo: [], sendPhoto: ['chat_id', 'photo'], sendDocument: ['chat_id', 'document'],
  sendMessageDraft: ['chat_id', 'draft_id', 'text'], setMessageReaction: ['chat_id', 'message_id', 'reaction'], getFile: ['file_id'],
  editMessageText: ['chat_id', 'message_id', 'text'],
};

async function replay(calls) {
  const bodies = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk)).on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
      response.setHeader('content-type', 'application/json');
      response.end('{"ok":true,"result":true}');
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const api = new Api('1:x', {apiRoot: `http://127.0.0.1:${server.address().port}`});
  for (const {method, body} of calls) {
    if (!positional[method]) throw new Error(`say which arguments ${method} has`);
    const {...rest} = body;
    const leading = positional[method].map(name => { const value = rest[name]; delete rest[name]; return value; });
    await api[method](...leading, ...(Object.keys(rest).length ? [rest] : []));
  }
  server.close();
  server.closeAllConnections();
  return bodies;
}

// check compiles a file that gives each body the type of its method's parameters: unknown members, missing ones and wrong types
// are errors.
function check(calls) {
  const name = path.join(path.dirname(fileURLToPath(import.meta.url)), 'calls.ts');
  const type = ({method, body}) => // a method that takes nothing has no parameters to check
    Object.keys(body).length ? `Parameters<RawApi[${JSON.stringify(method)}]>[0]` : 'Record<string, never>';
  const lines = calls.map((call, n) => `export const c${n}: ${type(call)} = ${JSON.stringify(call.body)};`);
  const source = `import type {RawApi} from 'grammy';\n${lines.join('\n')}\n`;
  const options = {noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022};
  const host = ts.createCompilerHost(options);
  const {getSourceFile, fileExists, readFile} = host;
  host.fileExists = file => file === name || fileExists(file);
  host.readFile = file => file === name ? source : readFile(file);
  host.getSourceFile = (file, ...more) => file === name ? ts.createSourceFile(file, source, options.target) : getSourceFile(file, ...more);
  const problems = calls.map(() => []);
  for (const found of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
    const line = found.file?.fileName === name ? found.file.getLineAndCharacterOfPosition(found.start).line - 1 : 0;
    problems[Math.max(line, 0)].push(ts.flattenDiagnosticMessageText(found.messageText, ' '));
  }
  return problems;
}

let output;
if (input.updates) {
  output = [];
  for (const update of input.updates) output.push(await handle(update));
} else {
  const bodies = await replay(input.calls);
  const problems = check(input.calls);
  output = bodies.map((body, n) => ({body, problems: problems[n]}));
}
process.stdout.write(JSON.stringify(output));
