package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.WriteTransaction;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.PutFlags;
import org.lmdbjava.Txn;

/**
 * The write transaction. It stays on the operating system's thread that began it, as LMDB wants it:
 * between begin and end nothing here waits or takes direct memory, for that could let a virtual
 * thread change its carrier. The environment has one key buffer for all of them.
 */
final class LmdbWriter implements WriteTransaction {

  private final LmdbEnvironment environment;
  private final KeyBuffer keys;
  private final Txn<ByteBuffer> transaction;

  /**
   * @param keys the environment's, used by one writer at a time
   */
  LmdbWriter(LmdbEnvironment environment, KeyBuffer keys, Txn<ByteBuffer> transaction) {
    this.environment = environment;
    this.keys = keys;
    this.transaction = transaction;
  }

  @Override
  public Optional<ByteBuffer> get(MapName map, byte[] key) {
    try {
      ByteBuffer value = environment.map(map).get(transaction, keys.of(key));
      return value == null ? Optional.empty() : Optional.of(value.asReadOnlyBuffer());
    } catch (RuntimeException e) {
      throw environment.failing(e, "reading", false);
    }
  }

  @Override
  public MapCursor cursor(MapName map) {
    try {
      Cursor<ByteBuffer> cursor = environment.map(map).openCursor(transaction);
      return new LmdbCursor(environment, cursor, keys);
    } catch (RuntimeException e) {
      throw environment.failing(e, "reading", false);
    }
  }

  @Override
  public void put(MapName map, byte[] key, byte[] value) {
    replace(map, key, value.length).put(value);
  }

  @Override
  public ByteBuffer reserve(MapName map, byte[] key, int size) {
    try {
      // MDB_APPEND fills pages to the brim, and refuses a key that is not above all others.
      return environment.map(map).reserve(transaction, keys.of(key), size, PutFlags.MDB_APPEND);
    } catch (Dbi.KeyExistsException e) {
      throw new IllegalStateException("a key of " + map + " is not above those that are there", e);
    } catch (RuntimeException e) {
      throw environment.failing(e, "writing", false);
    }
  }

  @Override
  public ByteBuffer replace(MapName map, byte[] key, int size) {
    try {
      return environment.map(map).reserve(transaction, keys.of(key), size);
    } catch (RuntimeException e) {
      throw environment.failing(e, "writing", false);
    }
  }

  @Override
  public boolean delete(MapName map, byte[] key) {
    try {
      return environment.map(map).delete(transaction, keys.of(key));
    } catch (RuntimeException e) {
      throw environment.failing(e, "deleting", false);
    }
  }

  @Override
  public void commit() {
    long before = transaction.getId();
    try {
      transaction.commit();
    } catch (RuntimeException e) {
      throw environment.commitFailing(e, before);
    }
  }

  @Override
  public void close() {
    transaction.close();
  }
}
