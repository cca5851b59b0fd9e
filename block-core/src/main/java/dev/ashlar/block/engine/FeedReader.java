package dev.ashlar.block.engine;

import dev.ashlar.block.Cid;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.root.Effect;
import dev.ashlar.block.root.FeedPage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads what entries have changed from the log and from the outcomes that are kept beside it. */
final class FeedReader {

  private final ReadTransaction transaction;
  private final Map<Long, KeptOutcome> unwritten = new HashMap<>();

  /**
   * @param unwritten outcomes that were not durable when they were looked at, before the
   *     transaction began
   */
  FeedReader(List<KeptOutcome> unwritten, ReadTransaction transaction) {
    this.transaction = transaction;
    unwritten.forEach(kept -> this.unwritten.put(kept.index(), kept));
  }

  /**
   * @param since the index before the first one
   * @param applied up to where entries had taken effect before the transaction began
   * @param entriesMax how many entries to look at
   */
  FeedPage page(long since, long applied, int entriesMax) {
    EngineState state = Recovery.state(transaction);
    if (since < state.base.index()) {
      throw new FeedGoneException(since, applied);
    }
    List<Effect> effects = new ArrayList<>();
    long last = Math.min(applied, since + entriesMax);
    try (MapCursor cursor = transaction.cursor(MapName.LOG)) {
      boolean more = since < last && cursor.seek(Keys.number(since + 1));
      for (long at = since + 1; at <= last; at++) {
        Optional<LogEntry> entry =
            more && Keys.number(cursor.key()) == at
                ? LogEntry.decode(cursor.key(), cursor.value())
                : Optional.empty();
        if (entry.isEmpty()) {
          throw new StoreDamagedException("log entry " + at + " is missing or damaged");
        }
        effect(entry.get()).ifPresent(effects::add);
        more = cursor.next();
      }
    }
    return new FeedPage(effects, Math.max(since, last));
  }

  private Optional<Effect> effect(LogEntry entry) {
    long index = entry.index();
    Command command = entry.command();
    if (command instanceof Command.Touch
        || command instanceof Command.NoOp
        || command instanceof Command.Configuration) {
      return Optional.empty();
    }
    Optional<KeptOutcome> kept = kept(index);
    if (command instanceof Command.Collect collect) {
      List<Multihash> removed = new ArrayList<>();
      kept.map(KeptOutcome::collected)
          .ifPresent(
              bits ->
                  bits.stream()
                      .filter(place -> place < collect.garbage().blocks().size())
                      .forEach(place -> removed.add(collect.garbage().blocks().get(place))));
      return removed.isEmpty() ? Optional.empty() : Optional.of(new Effect.Deleted(index, removed));
    }
    if (kept.isPresent()) {
      // Whatever it was, it was not what such an entry usually does.
      return Optional.empty();
    }
    if (command instanceof Command.Put put) {
      return Optional.of(new Effect.Put(index, Cid.v1(put.codec(), put.multihash()), put.length()));
    }
    if (command instanceof Command.Delete delete) {
      return Optional.of(new Effect.Deleted(index, List.of(delete.multihash())));
    }
    return Optional.of(new Effect.Roots(index, ((Command.Roots) command).changes().changes()));
  }

  private Optional<KeptOutcome> kept(long index) {
    KeptOutcome fresh = unwritten.get(index);
    if (fresh != null) {
      return Optional.of(fresh);
    }
    byte[] key = Keys.number(index);
    return transaction
        .get(MapName.OUTCOMES, key)
        .map(
            value ->
                KeptOutcome.decode(key, value)
                    .orElseThrow(
                        () ->
                            new StoreDamagedException(
                                "the outcome of log entry " + index + " is damaged")));
  }
}
