import type { CommandContext } from '../../server/context.js';
import type { DebugSubcommand } from './subcommand.js';
import { FIRST_ARGUMENT } from './subcommand.js';

type Reply = CommandContext['reply'];

/** A reply of each type, for tests of clients: those of Redis. */
const EXAMPLES: Readonly<Record<string, (reply: Reply) => void>> = {
  string: (reply) => reply.bulkText('Hello World'),
  integer: (reply) => reply.integer(12345),
  double: (reply) => reply.double(3141 / 1000),
  bignum: (reply) => reply.bigNumber('1234567999999999999999999999999999999'),
  null: (reply) => reply.nullBulk(),
  array(reply) {
    reply.arrayHeader(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set(reply) {
    reply.setHeader(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map(reply) {
    reply.mapHeader(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  attrib(reply) {
    if (reply.resp === 3) {
      reply.attributeHeader(1);
      reply.bulkText('key-popularity');
      reply.arrayHeader(2);
      reply.bulkText('key:123');
      reply.integer(90);
    }
    reply.bulkText('Some real reply following the attribute');
  },
  push(reply) {
    if (reply.resp === 2) {
      reply.error('ERR RESP2 is not supported by this command');
      return;
    }
    reply.pushHeader(2);
    reply.bulkText('server-cpu-usage');
    reply.integer(42);
    reply.bulkText('Some real reply following the push reply');
  },
  verbatim: (reply) => reply.verbatim('txt', 'This is a verbatim\nstring'),
  true: (reply) => reply.boolean(true),
  false: (reply) => reply.boolean(false),
};

const NAMES = Object.keys(EXAMPLES).join('|');

export const protocolSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'error',
    syntax: '<string>',
    summary: 'Reply an error with this text.',
    least: 1,
    most: 1,
    handler: ({ arguments: request, reply }) => reply.error(request.text(FIRST_ARGUMENT)),
  },
  {
    name: 'protocol',
    syntax: `<${NAMES}>`,
    summary: 'Reply an example of a type.',
    least: 1,
    most: 1,
    handler: protocol,
  },
];

function protocol({ arguments: request, reply }: CommandContext): void {
  const name = request.text(FIRST_ARGUMENT).toLowerCase();
  if (Object.hasOwn(EXAMPLES, name)) EXAMPLES[name](reply);
  else reply.error(`ERR Wrong protocol type name. Please use one of the following: ${NAMES}`);
}
