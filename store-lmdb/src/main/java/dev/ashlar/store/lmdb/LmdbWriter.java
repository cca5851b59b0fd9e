package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.WriteTransaction;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.lmdbjava.Dbi;
import org.lmdbjava.PutFlags;
import org.lmdbjava.Txn;

/** The write transaction. It stays on the thread that began it, as LMDB wants it. */
final class LmdbWriter implements WriteTransaction {

  private static final int VALUE_BYTES = 4096;

  private final LmdbEnvironment environment;
  private final Txn<ByteBuffer> transaction;
  private final KeyBuffer keys = new KeyBuffer();
  private ByteBuffer values = ByteBuffer.allocateDirect(VALUE_BYTES);

  LmdbWriter(LmdbEnvironment environment, Txn<ByteBuffer> transaction) {
    this.environment = environment;
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
    return new LmdbCursor(environment.map(map).openCursor(transaction));
  }

  @Override
  public void put(MapName map, byte[] key, byte[] value) {
    if (value.length > values.capacity()) {
      values = ByteBuffer.allocateDirect(value.length);
    }
    try {
      environment.map(map).put(transaction, keys.of(key), values.clear().put(value).flip());
    } catch (RuntimeException e) {
      throw environment.failing(e, "writing", false);
    }
  }

  @Override
  public ByteBuffer reserve(MapName map, byte[] key, int size) {
    Dbi<ByteBuffer> target = environment.map(map);
    try {
      // MDB_APPEND fills pages to the brim, and refuses a key that is not above all others.
      return target.reserve(transaction, keys.of(key), size, PutFlags.MDB_APPEND);
    } catch (Dbi.KeyExistsException e) {
      return replace(target, key, size);
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
    try {
      transaction.commit();
    } catch (RuntimeException e) {
      throw environment.failing(e, "making a write durable", true);
    }
  }

  @Override
  public void close() {
    transaction.close();
  }

  private ByteBuffer replace(Dbi<ByteBuffer> target, byte[] key, int size) {
    try {
      return target.reserve(transaction, keys.of(key), size);
    } catch (RuntimeException e) {
      throw environment.failing(e, "writing", false);
    }
  }
}
