package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.http.Gateway;
import dev.ashlar.http.GatewayOptions;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

@Command(
    name = "warm-up",
    hidden = true,
    description = "Start a node in a temporary directory, use it once and stop: for class sharing.")
final class WarmUpCommand implements Callable<Integer> {

  @Override
  public Integer call() throws IOException {
    Path directory = Files.createTempDirectory("ashlar-warm-up");
    Vertx vertx = Gateway.vertx(new VertxOptions(), GatewayOptions.Limits.DEFAULT);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      Gateway gateway =
          Gateway.start(vertx, store, GatewayOptions.DEFAULT.at("127.0.0.1", 0), "ashlar", List::of)
              .toCompletionStage()
              .toCompletableFuture()
              .join();
      URI server = URI.create("http://127.0.0.1:" + gateway.port());
      try (BlockStore remote = new HttpBlockStore(server, Optional.empty())) {
        Block block = Block.copyOf(new byte[] {1});
        remote.put(block);
        return remote.get(block.cid()).isPresent() ? 0 : Main.EXIT_FAILED;
      }
    } finally {
      vertx.close().toCompletionStage().toCompletableFuture().join();
      try (Stream<Path> below = Files.walk(directory)) {
        for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
