package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreFormatException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What an engine finds when it opens: state, hard state, the soundness of the log, and the effects
 * of applied entries that the index does not show yet.
 *
 * @param state the engine state, fresh where the environment is empty
 * @param hardState the newest sound one
 * @param damage the lowest log entry that is missing or damaged
 * @param tables the effects above the watermark, those of a fold that was under way as the frozen
 *     one
 * @param liveBlocks blocks that can be got
 * @param liveBytes their bytes
 */
record Recovery(
    EngineState state,
    HardState hardState,
    Optional<Damage> damage,
    EffectTable.Pair tables,
    long liveBlocks,
    long liveBytes) {

  /** The version of the layout on disk that this engine reads and writes. */
  static final int FORMAT_VERSION = 1;

  /** Writes the format version into an empty environment; checks it in another. */
  static void prepare(Environment environment) {
    try (ReadTransaction read = environment.beginRead()) {
      Optional<ByteBuffer> format = read.get(MapName.META, Keys.FORMAT);
      if (format.isPresent()) {
        requireKnown(format.get());
        return;
      }
    }
    try (WriteTransaction write = environment.beginWrite()) {
      byte[] version =
          ByteBuffer.allocate(Integer.BYTES + Checksum.BYTES).putInt(FORMAT_VERSION).array();
      write.put(MapName.META, Keys.FORMAT, Checksum.seal(Keys.FORMAT, version));
      write.put(MapName.META, Keys.STATE, new EngineState().encode());
      write.commit();
    }
  }

  static Recovery read(Environment environment) {
    try (ReadTransaction transaction = environment.beginRead()) {
      EngineState state =
          transaction
              .get(MapName.META, Keys.STATE)
              .flatMap(EngineState::decode)
              .orElseThrow(
                  () ->
                      new StoreFormatException(
                          "the engine's state is missing or damaged: restore the directory from a backup"));
      HardState hardState =
          HardStates.read(transaction, state.hardStateSequence)
              .or(() -> HardStates.read(transaction, state.hardStateSequence - 1))
              .orElse(HardState.INITIAL);
      Optional<Damage> damage = checkLog(transaction, state);
      return replay(transaction, state, hardState, damage);
    }
  }

  private static void requireKnown(ByteBuffer format) {
    if (!Checksum.isSound(Keys.FORMAT, format)) {
      throw new StoreFormatException(
          "the format version is damaged: restore the directory from a backup");
    }
    int version = format.getInt(0);
    if (version != FORMAT_VERSION) {
      throw new StoreFormatException(
          "the data is of format version "
              + version
              + " and this Ashlar knows version "
              + FORMAT_VERSION
              + ": use the Ashlar that wrote it, or a newer one");
    }
  }

  /** Entries from the base to the last one must follow each other, each with a sound header. */
  private static Optional<Damage> checkLog(ReadTransaction transaction, EngineState state) {
    long expected = state.base.index() + 1;
    long term = state.base.term();
    try (MapCursor cursor = transaction.cursor(MapName.LOG)) {
      boolean found = cursor.seek(Keys.number(expected));
      while (expected <= state.last.index()) {
        if (!found || Keys.number(cursor.key()) != expected) {
          return Optional.of(new Damage(expected, "the entry is missing"));
        }
        LogEntry entry = LogEntry.decode(cursor.key(), cursor.value()).orElse(null);
        if (entry == null) {
          return Optional.of(new Damage(expected, "the entry fails its checksum"));
        }
        if (entry.term() < term) {
          return Optional.of(new Damage(expected, "its term is below that of the entry before"));
        }
        term = entry.term();
        expected++;
        found = cursor.next();
      }
    }
    return term == state.last.term()
        ? Optional.empty()
        : Optional.of(new Damage(state.last.index(), "its term is not the one in meta"));
  }

  private static Recovery replay(
      ReadTransaction transaction,
      EngineState state,
      HardState hardState,
      Optional<Damage> damage) {
    long readable = Math.min(state.applied, damage.map(d -> d.index() - 1).orElse(state.applied));
    MapName blocks = MapName.blocks(state.generation);
    EffectTable folding = new EffectTable();
    EffectTable active = new EffectTable();
    Applier.Rows foldingRows =
        new Applier.Rows(transaction, blocks, new EffectTable.Pair(folding, Optional.empty()));
    Applier applier = new Applier(foldingRows::find, folding::put);
    long index = state.watermark + 1;
    for (; index <= Math.min(state.foldUpper, readable); index++) {
      LogEntry entry = entry(transaction, index);
      if (!isFolded(entry, state.foldDone)) {
        applier.apply(entry);
      }
    }
    Optional<EffectTable.Frozen> frozen =
        state.foldUpper == 0
            ? Optional.empty()
            : Optional.of(EffectTable.Frozen.of(folding, state.foldUpper));
    EffectTable.Pair tables = new EffectTable.Pair(active, frozen);
    Applier.Rows activeRows = new Applier.Rows(transaction, blocks, tables);
    Applier activeApplier = new Applier(activeRows::find, active::put);
    for (; index <= readable; index++) {
      activeApplier.apply(entry(transaction, index));
    }
    return new Recovery(
        state,
        hardState,
        damage,
        tables,
        state.foldedBlocks + applier.blocksAdded() + activeApplier.blocksAdded(),
        state.foldedBytes + applier.bytesAdded() + activeApplier.bytesAdded());
  }

  private static LogEntry entry(ReadTransaction transaction, long index) {
    byte[] key = Keys.number(index);
    return transaction
        .get(MapName.LOG, key)
        .flatMap(value -> LogEntry.decode(key, value))
        .orElseThrow(
            () -> new IllegalStateException("entry " + index + " was checked and is gone"));
  }

  /** Whether the fold that was under way has done the entry's multihash already. */
  private static boolean isFolded(LogEntry entry, Optional<Multihash> done) {
    Command command = entry.command();
    Multihash multihash;
    if (command instanceof Command.Put put) {
      multihash = put.multihash();
    } else if (command instanceof Command.Touch touch) {
      multihash = touch.multihash();
    } else if (command instanceof Command.Delete delete) {
      multihash = delete.multihash();
    } else {
      return false;
    }
    return done.isPresent() && multihash.compareTo(done.get()) <= 0;
  }
}
