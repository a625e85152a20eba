import type { InfoSection } from './section.js';

/** Who is connected, and who waits. */
export const clientsSection: InfoSection = {
  name: 'clients',
  title: 'Clients',
  shownBy: 'default',
  fields(server) {
    let inputMax = 0;
    let outputMax = 0;
    let subscribers = 0;
    for (const client of server.clients) {
      inputMax = Math.max(inputMax, client.queryBuffer.length);
      outputMax = Math.max(outputMax, client.connection.queuedBytes);
      if (server.pubsub.countOf(client) > 0) subscribers++;
    }
    return [
      ['connected_clients', server.clients.count],
      ['cluster_connections', 0],
      ['maxclients', server.configuration.values.maxclients],
      ['client_recent_max_input_buffer', inputMax],
      ['client_recent_max_output_buffer', outputMax],
      ['blocked_clients', server.blocking.count + server.syncWaits.count + server.pause.waitingCount],
      ['tracking_clients', server.tracking.clientCount],
      ['pubsub_clients', subscribers],
      ['watching_clients', server.watching.clientCount],
      ['clients_in_timeout_table', server.blocking.timedCount],
      ['total_watched_keys', server.watching.keyCount],
      ['total_blocking_keys', server.blocking.keyCount],
      ['total_blocking_keys_on_nokey', 0],
    ];
  },
};

/** Threads for sockets. There is one, the only one. */
export const threadsSection: InfoSection = {
  name: 'threads',
  title: 'Threads',
  shownBy: 'default',
  fields({ clients, statistics, outbox }) {
    return [['io_thread_0', `clients=${clients.count},reads=${statistics.reads},writes=${outbox.sends}`]];
  },
};
