import type { Answer } from '../poll/answer.ts';
import { contentCoding, decode } from '../poll/decode.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { isLastWord } from '../protocol/event.ts';
import { asProxyError } from '../shared/errors.ts';
import { essence } from '../shared/media-type.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Comparable } from './answer-marks.ts';
import { comparableOf, markOf } from './answer-marks.ts';
import type { Endpoint } from './endpoint.ts';
import { plainAnswer } from './plain-answer.ts';
import type { Difference, Incomparable } from './shadow-tally.ts';
import type { PastState } from './state-history.ts';
import type { TrialRoom } from './trial-room.ts';
import type { TrueAnswer } from './true-answer.ts';

/** What a true answer is compared by. It keeps no body. */
export interface Truth {
  readonly status: number;
  /** Its type, without parameters. */
  readonly type: string;
  /** Could this state have stood in its place? */
  readonly isEqual: (state: PastState) => boolean;
}

/** What reading a true answer goes by. */
export interface TruthOptions {
  readonly endpoint: Endpoint;
  /** Of the request. */
  readonly rawHeaders: RawHeaders;
  readonly room: TrialRoom;
  /** What makes of a body the one that clients get. */
  readonly rewrite: ((answer: Pick<Answer, 'headers'>, body: Buffer) => Buffer) | undefined;
  /** The states around the answer until now. */
  readonly states: () => readonly PastState[] | undefined;
}

/**
 * Read a true answer.
 *
 * @returns `equal` when its very bytes are a state, which needs no reading.
 */
export async function readTruth(
  answer: TrueAnswer,
  options: TruthOptions,
): Promise<Truth | 'equal' | Incomparable> {
  const { status } = answer;
  const { endpoint, rawHeaders, room, rewrite, states } = options;
  if (status === 304) return truthOfValidator(endpoint, rawHeaders);
  // A refusal: from its last word on a channel is not shown to anybody either.
  if (status < 200 || status > 204) return { status, type: '', isEqual: isEnd };
  const unpacked = await unpack(answer, endpoint.config.maxBody, room);
  if (typeof unpacked === 'string') return unpacked;
  const type = answer.headers.get('content-type') ?? '';
  const worked = room.work(() => {
    const body = rewrite ? rewrite(answer, unpacked) : unpacked;
    const comparable = { status: status === 203 ? 200 : status, type, body };
    const isKnown = states()?.some(({ event }) => isSameBytes(event, comparable)) ?? false;
    return isKnown ? 'equal' : truthOfMark(comparable, markOf(comparable, endpoint));
  });
  return worked ? worked.result : 'load';
}

/** In what a true answer differs from a state. */
export function differenceOf({ status, type }: Truth, given: Omit<Comparable, 'body'>): Difference {
  if (status !== given.status) return 'status';
  return type === essence(given.type) ? 'body' : 'type';
}

function truthOfMark({ status, type }: Comparable, mark: string): Truth {
  const isEqual = (state: PastState) => isEnd(state) || state.mark() === mark;
  return { status, type: essence(type), isEqual };
}

function truthOfValidator({ keyed }: Endpoint, rawHeaders: RawHeaders): Truth {
  const isEqual = (state: PastState) =>
    isEnd(state) || plainAnswer(state.event, keyed, rawHeaders).status === 304;
  return { status: 304, type: '', isEqual };
}

function isEnd({ event }: PastState): boolean {
  return isLastWord(event);
}

function isSameBytes(event: ChannelEvent, { status, type, body }: Comparable): boolean {
  const given = comparableOf(event);
  if (isLastWord(event) || given.status !== status || given.type !== type) return false;
  return given.body.length === body.length && Buffer.compare(given.body, body) === 0;
}

async function unpack(
  answer: TrueAnswer,
  maxBytes: number,
  room: TrialRoom,
): Promise<Buffer | Incomparable> {
  const isPacked = contentCoding(answer) !== '' && answer.body.length > 0;
  if (!isPacked) return answer.body;
  if (!room.take('unpacking')) return 'load';
  try {
    return await decode({ ...answer, setCookies: [] }, maxBytes);
  } catch (error) {
    return asProxyError(error, 'INTERNAL').code === 'UPSTREAM_TOO_LARGE' ? 'size' : 'coding';
  } finally {
    room.leave('unpacking');
  }
}
