/** The version of Redis that Respite stands in for: its directives, replies and error texts are those of this one. */
export const REDIS_VERSION = '8.0.6';
