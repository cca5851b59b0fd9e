package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class OpenApiTest extends GatewayFixture {

  /** Routes that answer what nobody should ask: they are no part of the interface. */
  private static final Set<String> FALLBACKS = Set.of("/ipfs/", "/api/v0/", "/routing/v1/");

  @Test
  void theDescriptionHasTheRoutesAndNoOthers() {
    Set<String> described = new TreeSet<>();
    JsonObject paths = new JsonObject(text(get("/openapi.json"))).getJsonObject("paths");
    for (String path : paths.fieldNames()) {
      for (String method : paths.getJsonObject(path).fieldNames()) {
        described.add(method.toUpperCase(Locale.ROOT) + " " + path);
      }
    }

    Set<String> routed = new TreeSet<>();
    Vertx vertx = Vertx.vertx();
    try {
      Workers workers = new Workers(vertx, store, GatewayOptions.Limits.DEFAULT);
      for (Route route :
          Gateway.router(
                  vertx,
                  workers,
                  new Jobs(vertx, workers, GatewayOptions.DEFAULT),
                  GatewayOptions.DEFAULT,
                  "ashlar/test",
                  List::of,
                  GatewayExtension.NONE)
              .getRoutes()) {
        String path =
            route.getPath() == null
                ? ""
                : route
                    .getPath()
                    .replace(":cid", "{cid}")
                    .replace("{cid}/", "{cid}/{path}")
                    .replaceFirst("^/refs/$", "/refs/{name}");
        if (!path.isEmpty() && !FALLBACKS.contains(path) && route.methods() != null) {
          for (HttpMethod method : route.methods()) {
            routed.add(method.name() + " " + path);
          }
        }
      }
    } finally {
      await(vertx.close());
    }

    assertThat(routed).isEqualTo(described);
  }
}
