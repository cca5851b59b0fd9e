package dev.ashlar.block.engine;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;

/**
 * What the engine asks of storage: named ordered maps, snapshots for readers, and one writer whose
 * transaction becomes durable whole or not at all.
 *
 * <p>All methods may throw {@link StoreFailedException} for an I/O error. Read transactions may be
 * begun from any thread at any time; there is at most one write transaction, and it stays on the
 * thread that began it. The engine sees to that.
 */
public interface Environment extends AutoCloseable {

  /** A snapshot of the last commit. Waits while too many are open. */
  ReadTransaction beginRead();

  /**
   * The write transaction.
   *
   * @throws NoSpaceException where there is not even room to begin
   */
  WriteTransaction beginWrite();

  /** How many bytes can still be written, as a careful estimate. Costs a few system calls. */
  long freeBytes();

  /** Waits for read transactions to end, then closes. Nothing is used afterwards. */
  @Override
  void close();
}
