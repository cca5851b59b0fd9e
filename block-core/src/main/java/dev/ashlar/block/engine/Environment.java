package dev.ashlar.block.engine;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;
import java.util.Optional;

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

  /**
   * Says that something that was read is not what was written, so that storage which can check
   * itself does so before it is next opened.
   */
  default void doubt(String why) {
    // There is nothing beneath the values that could be wrong.
  }

  /**
   * Says that what is here must not be gone on from, sound as it may look: who opens it again is
   * refused by name.
   */
  default void condemn(String why) {
    // What does not outlive its process is not opened again.
  }

  /**
   * Looks at what lies beneath the maps, where there is something that could be damaged without a
   * value showing it. May take as long as reading the whole index.
   *
   * @return what is wrong, empty where nothing is
   */
  default Optional<String> findDamage() {
    return Optional.empty();
  }

  /** Waits for read transactions to end, then closes. Nothing is used afterwards. */
  @Override
  void close();
}
