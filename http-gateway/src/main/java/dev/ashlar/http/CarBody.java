package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.DagWalk;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The blocks of a walk as a CAR. */
final class CarBody implements SlicedResponse.Body {

  private final MeteredSource source;
  private final DagWalk walk;
  private final CarWriter writer;
  private boolean begun;

  /**
   * Begins a CAR.
   *
   * @param root what its header names
   * @param slice where it is written
   */
  CarBody(
      Workers workers,
      Exchange exchange,
      ReadConsistency consistency,
      DagPath path,
      Cid root,
      DagWalk.Options options,
      ByteBuf slice)
      throws IOException {
    this.source = new MeteredSource(workers, workers.store().reading(consistency), exchange);
    this.walk = new DagWalk(source, path, options, workers::chargeDownload);
    this.writer = CarWriter.open(new ByteBufOutputStream(slice), List.of(root));
  }

  @Override
  public boolean appendTo(ByteBuf slice) throws IOException {
    try {
      Optional<Block> block = walk.next();
      if (block.isPresent()) {
        begun = true;
        writer.write(block.get());
      }
      return block.isEmpty();
    } finally {
      writer.flush();
    }
  }

  @Override
  public boolean hasBegun() {
    return begun;
  }

  @Override
  public void close() {
    source.close();
    walk.close();
  }
}
