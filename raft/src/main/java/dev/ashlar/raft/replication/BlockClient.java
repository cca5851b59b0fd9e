package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.engine.Outcome;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Puts and deletes as a block store understands them, by commands. Does not block. */
public final class BlockClient {

  private final BiConsumer<BlockCommand, Consumer<WriteResult>> write;

  /**
   * @param write brings a command into the log, wherever the leader is
   */
  public BlockClient(BiConsumer<BlockCommand, Consumer<WriteResult>> write) {
    this.write = write;
  }

  /**
   * Puts a block. One that is live here goes as a touch, without its bytes; if it is gone by the
   * time that is applied, it is put again, with them.
   *
   * @param isLiveHere whether this replica's applied state has the block
   * @param done is given {@link Outcome#CREATED} or {@link Outcome#EXISTED}, or how it failed
   */
  public void put(Block block, boolean isLiveHere, Consumer<WriteResult> done) {
    if (!isLiveHere) {
      write.accept(new BlockCommand.Put(block), done);
      return;
    }
    write.accept(
        new BlockCommand.Touch(block.cid().multihash()),
        result -> {
          if (result instanceof WriteResult.Done touched && touched.outcome() == Outcome.GONE) {
            write.accept(new BlockCommand.Put(block), done);
          } else {
            done.accept(result);
          }
        });
  }

  /**
   * Deletes a block.
   *
   * @param done is given {@link Outcome#DELETED} or {@link Outcome#ABSENT}, or how it failed
   */
  public void delete(Multihash multihash, Consumer<WriteResult> done) {
    write.accept(new BlockCommand.Delete(multihash), done);
  }
}
