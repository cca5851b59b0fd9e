package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** An engine over an environment of a store, for the tests that every environment passes. */
public abstract class EngineFixture {

  /** Small enough that a short test freezes, folds and compacts many times. */
  static final EngineOptions SMALL = new EngineOptions(8, 2, 3);

  @SuppressWarnings("NullAway.Init")
  FaultyEnvironment environment;

  @SuppressWarnings("NullAway.Init")
  StorageEngine engine;

  /** Opens an environment with nothing in it. */
  protected abstract Environment openEmpty() throws Exception;

  /** Opens the environment as it would be found after the process was killed. */
  protected abstract Environment reopenAfterCrash(Environment crashed) throws Exception;

  @SuppressWarnings("NullAway.Init")
  Environment underneath;

  @BeforeEach
  final void open() throws Exception {
    underneath = openEmpty();
    environment = new FaultyEnvironment(underneath);
    engine = StorageEngine.open(environment, SMALL);
  }

  @AfterEach
  final void close() {
    engine.close();
  }

  final void crash() throws Exception {
    underneath = reopenAfterCrash(underneath);
    environment = new FaultyEnvironment(underneath);
    engine = StorageEngine.open(environment, SMALL);
  }

  final void appendAndApply(Block block) {
    try (EngineBatch batch = engine.begin()) {
      batch.appendPut(1, block);
      batch.applyTo(batch.last().index());
      batch.commit();
    }
  }

  final void delete(Block block) {
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Delete(block.cid().multihash()));
      batch.applyTo(batch.last().index());
      batch.commit();
    }
  }

  final void hardState(HardState hardState) {
    try (EngineBatch batch = engine.begin()) {
      batch.hardState(hardState);
      batch.commit();
    }
  }

  final void compactAll() {
    while (engine.status().base().index() < engine.status().applied()) {
      engine.freeze();
      try (EngineBatch batch = engine.begin()) {
        batch.compactTo(Long.MAX_VALUE);
        batch.commit();
      }
    }
  }

  /** Flips the last payload byte of a value behind the engine's back. */
  final void overwrite(MapName map, byte[] key) {
    byte[] bytes = get(map, key);
    bytes[bytes.length - 5] ^= 1;
    put(map, key, bytes);
  }

  /** Takes a value away behind the engine's back. */
  final void remove(MapName map, byte[] key) {
    try (WriteTransaction write = underneath.beginWrite()) {
      write.delete(map, key);
      write.commit();
    }
  }

  /** Writes a value behind the engine's back. */
  final void put(MapName map, byte[] key, byte[] value) {
    try (WriteTransaction write = underneath.beginWrite()) {
      write.put(map, key, value);
      write.commit();
    }
  }

  /** Takes a value away behind the engine's back. */
  final byte[] take(MapName map, byte[] key) {
    byte[] value = get(map, key);
    try (WriteTransaction write = underneath.beginWrite()) {
      write.delete(map, key);
      write.commit();
    }
    return value;
  }

  final byte[] get(MapName map, byte[] key) {
    try (ReadTransaction read = underneath.beginRead()) {
      ByteBuffer value = read.get(map, key).orElseThrow();
      byte[] bytes = new byte[value.remaining()];
      value.get(bytes);
      return bytes;
    }
  }

  final Optional<Block> read(Block block) {
    Cid cid = block.cid();
    return engine.read(cid, (bytes, crc) -> Block.stored(cid, copy(bytes), crc));
  }

  static ByteBuffer copy(ByteBuffer bytes) {
    return ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
  }
}
