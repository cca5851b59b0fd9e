package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.ReadTransaction;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.lmdbjava.Txn;

/** A snapshot of the environment. It is reset when its user closes it, and used again. */
final class LmdbReader implements ReadTransaction {

  private final LmdbEnvironment environment;
  private final Txn<ByteBuffer> transaction;
  private final KeyBuffer keys;

  LmdbReader(LmdbEnvironment environment, KeyBuffer keys, Txn<ByteBuffer> transaction) {
    this.keys = keys;
    this.environment = environment;
    this.transaction = transaction;
  }

  @Override
  public Optional<ByteBuffer> get(MapName map, byte[] key) {
    try {
      ByteBuffer value = environment.map(map).get(transaction, keys.of(key));
      return value == null ? Optional.empty() : Optional.of(value.asReadOnlyBuffer());
    } catch (RuntimeException e) {
      throw environment.readFailing(e);
    }
  }

  @Override
  public MapCursor cursor(MapName map) {
    try {
      return new LmdbCursor(environment, environment.map(map).openCursor(transaction), keys);
    } catch (RuntimeException e) {
      throw environment.readFailing(e);
    }
  }

  @Override
  public void close() {
    transaction.reset();
    environment.readerEnded(this);
  }

  Txn<ByteBuffer> transaction() {
    return transaction;
  }

  void renew() {
    transaction.renew();
  }

  /** Ends the transaction for good. */
  void end() {
    transaction.close();
  }
}
