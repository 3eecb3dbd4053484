// Serves @copilotkit/aimock, a fake of OpenAI's and Anthropic's APIs, until standard input ends. Reads one line of JSON from
// there, writes one line to standard output:
//   {key, answers: [{question, text, inputTokens, outputTokens, faults: [{status} or {malformed} or {cutAfter} …]}],
//    transcript}                                                → {url}
// A question is answered with its faults first, in their order, and with its text from then on. Any text has a vector, made by
// aimock. Whoever shows another key is refused, and so is a question that nothing here answers.
import {createInterface} from 'node:readline';
import {LLMock} from '@copilotkit/aimock';

const lines = createInterface({input: process.stdin});
const input = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);
const mock = new LLMock({host: '127.0.0.1', port: 0, strict: input.answers.length > 0, auth: {apiKeys: [input.key]}});

for (const {question, text, inputTokens, outputTokens, faults} of input.answers) {
  const usage = {
    prompt_tokens: inputTokens, completion_tokens: outputTokens, input_tokens: inputTokens, output_tokens: outputTokens,
  };
  const whole = {content: text, usage};
  (faults ?? []).forEach((fault, sequenceIndex) => {
    const match = {userMessage: question, sequenceIndex};
    if (fault.status) {
      mock.on(match, {error: {message: 'at your service later', type: 'fault'}, status: fault.status, retryAfter: 1});
    } else if (fault.malformed) {
      mock.on(match, whole, {chaos: {malformedRate: 1}});
    } else {
      mock.on(match, whole, {chunkSize: 8, truncateAfterChunks: fault.cutAfter});
    }
  });
  mock.on({userMessage: question}, whole, {chunkSize: 8});
}
if (input.transcript) {
  mock.onTranscription({transcription: {text: input.transcript}});
}
await mock.start();
process.stdout.write(JSON.stringify({url: mock.url}) + '\n');
process.stdin.on('end', () => mock.stop().then(() => process.exit(0)));
process.stdin.resume();
