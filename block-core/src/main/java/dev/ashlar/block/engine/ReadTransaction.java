package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.util.Optional;

/** A consistent view of all maps. For one thread at a time; short-lived; closed by its user. */
public interface ReadTransaction extends AutoCloseable {

  /** The value, read-only; valid until the transaction ends or, in a write transaction, writes. */
  Optional<ByteBuffer> get(MapName map, byte[] key);

  /** A cursor before the first entry. It is closed before its transaction ends. */
  MapCursor cursor(MapName map);

  @Override
  void close();
}
