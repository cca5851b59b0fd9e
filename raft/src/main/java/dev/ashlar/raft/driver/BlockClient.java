package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.engine.Outcome;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.WriteResult;
import java.util.function.Consumer;

/** Puts and deletes through a driver, as a block store understands them. On the driver's thread. */
public final class BlockClient {

  private final RaftDriver driver;

  /** Requests to this driver. */
  public BlockClient(RaftDriver driver) {
    this.driver = driver;
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
      driver.write(new BlockCommand.Put(block), done);
      return;
    }
    driver.write(
        new BlockCommand.Touch(block.cid().multihash()),
        result -> {
          if (result instanceof WriteResult.Done touched && touched.outcome() == Outcome.GONE) {
            driver.write(new BlockCommand.Put(block), done);
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
    driver.write(new BlockCommand.Delete(multihash), done);
  }
}
