/* How pages take the answers of streams apart. Runs in the browser, before clients.js. */

/** Read an answer piece by piece. */
async function readAnswer(answer, onBytes) {
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes(value);
  }
}

/** A body: JSON, or text as it is. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Lines of JSON that come in pieces. */
function lineReader(event) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim() !== '') event(JSON.parse(line));
  };
}

/** Parts that come in pieces; where a body ends its length alone says. */
function partReader(event) {
  let rest = '';
  return (bytes) => {
    rest += Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    for (;;) {
      const head = /--[^\r\n]+\r\n([\s\S]*?)\r\n\r\n/.exec(rest);
      if (!head) return;
      const field = (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(head[1])?.[1];
      const start = head.index + head[0].length;
      const end = start + Number(field('Content-Length') ?? 0);
      if (rest.length < end) return;
      const body = Uint8Array.from(rest.slice(start, end), (unit) => unit.charCodeAt(0));
      rest = rest.slice(end);
      const data = read(new TextDecoder().decode(body));
      if (field('X-Event')) event({ id: field('X-Event-Id'), data });
    }
  };
}

window.readers = { read, readAnswer, lineReader, partReader };
