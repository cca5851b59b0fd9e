package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import io.vertx.core.json.JsonObject;
import picocli.CommandLine.Command;

@Command(name = "stat", description = "Print how many blocks and bytes there are.")
final class StatCommand extends StoreCommand {

  @Override
  int run(BlockStore store) {
    BlockStoreStatistics statistics = store.statistics();
    print(
        new JsonObject()
            .put("blocks", statistics.blocks())
            .put("bytes", statistics.bytes())
            .put("reclaimableBytes", statistics.reclaimableBytes()),
        String.format(
            "blocks       %d%nbytes        %d%nreclaimable  %d",
            statistics.blocks(), statistics.bytes(), statistics.reclaimableBytes()));
    return 0;
  }
}
