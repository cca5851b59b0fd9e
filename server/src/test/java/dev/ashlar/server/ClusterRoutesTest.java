package dev.ashlar.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.vertx.RaftNode;
import dev.ashlar.raft.vertx.RaftNodeOptions;
import dev.ashlar.store.memory.MemoryEnvironment;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ClusterRoutesTest {

  @Test
  void theDescriptionHasTheRoutesAndNoOthers() throws Exception {
    Vertx vertx = Vertx.vertx();
    StorageEngine engine =
        StorageEngine.open(new MemoryEnvironment(1 << 20), EngineOptions.DEFAULT);
    RaftNode node = new RaftNode(vertx, engine, RaftNodeOptions.DEFAULT);
    ClusterRoutes routes = new ClusterRoutes(node, 20, new ManifestRoute(vertx, node, engine));
    Router router = Router.router(vertx);

    routes.addTo(router);

    Set<String> routed = new TreeSet<>();
    for (Route route : router.getRoutes()) {
      for (HttpMethod method : route.methods()) {
        routed.add(method.name() + " " + route.getPath().replace(":id", "{id}"));
      }
    }
    Set<String> described = new TreeSet<>();
    JsonObject paths = routes.openApiPaths();
    for (String path : paths.fieldNames()) {
      for (String method : paths.getJsonObject(path).fieldNames()) {
        described.add(method.toUpperCase(Locale.ROOT) + " " + path);
      }
    }
    assertThat(described).isEqualTo(routed);
    node.close();
    vertx.close().toCompletionStage().toCompletableFuture().get();
  }
}
