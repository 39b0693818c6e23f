// A backend of Etsy's statsd for tests: at each flush it writes all that was received to a file, a series a line, and it has
// the server exit, which flushes, when its standard input ends.
'use strict';
const fs = require('fs');

exports.init = function (startup, config, events) {
  events.on('flush', function (time, metrics) {
    const lines = Object.keys(metrics.counters).map((name) => `counter ${name} ${metrics.counters[name]}`);
    for (const name of Object.keys(metrics.timers)) {
      lines.push(['timer', name, metrics.timer_counters[name], ...metrics.timers[name]].join(' '));
    }
    fs.writeFileSync(config.received, lines.map((line) => line + '\n').join(''));
  });
  process.stdin.on('end', () => process.exit(0)).resume();
  return true;
};
