package dev.ashlar.simulation;

import dev.ashlar.block.engine.Command;
import dev.ashlar.block.engine.LogEntry;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.replication.Replica;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Log Matching (Raft §5.3): "if two logs contain an entry with the same index and term, then the
 * logs are identical in all entries up through the given index". Checked by induction: one content
 * and one predecessor for every (index, term) that any disk ever held.
 */
final class LogHistory implements Observer {

  private record Known(Command command, long previousTerm) {}

  private final Map<EntryId, Known> entries = new HashMap<>();
  private final Map<Integer, TreeMap<Long, Long>> termsOnDisk = new HashMap<>();

  @Override
  public void started(SimNode node) {
    termsOnDisk.remove(node.number());
    check(node, node.engine());
  }

  @Override
  public void wrote(SimNode node, Replica replica) {
    check(node, replica.engine());
  }

  private void check(SimNode node, StorageEngine engine) {
    TreeMap<Long, Long> terms = termsOnDisk.computeIfAbsent(node.number(), n -> new TreeMap<>());
    long base = engine.status().base().index();
    long last = engine.status().last().index();
    terms.tailMap(last, false).clear();
    terms.headMap(base, true).clear();
    for (long i = last; i > base; i--) {
      Optional<LogEntry> entry = engine.log().entry(i);
      Optional<Long> previousTerm =
          i - 1 == base
              ? Optional.of(engine.status().base().term())
              : engine.log().entry(i - 1).map(LogEntry::term);
      // What has rotted says nothing.
      if (entry.isPresent() && previousTerm.isPresent()) {
        if (Long.valueOf(entry.get().term()).equals(terms.put(i, entry.get().term()))) {
          return;
        }
        check(node, entry.get(), previousTerm.get());
      }
    }
  }

  private void check(SimNode node, LogEntry entry, long previousTerm) {
    Known known = new Known(withoutSlot(entry.command()), previousTerm);
    Known before = entries.putIfAbsent(new EntryId(entry.index(), entry.term()), known);
    if (before != null && !before.equals(known)) {
      throw new Violation(
          "LogMatching",
          node.address() + " has at " + entry.position() + " " + known + ", others " + before);
    }
  }

  /** Slots are local to a replica. */
  private static Command withoutSlot(Command command) {
    return command instanceof Command.Put put
        ? new Command.Put(put.multihash(), put.codec(), put.length(), put.payloadCrc(), 0)
        : command;
  }
}
