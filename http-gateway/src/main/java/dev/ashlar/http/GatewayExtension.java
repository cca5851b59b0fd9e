package dev.ashlar.http;

import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;

/**
 * Routes of the caller's beside those of the gateway. They come after the checks of token, host and
 * origin, and only where more than reads of {@code /ipfs} is served.
 */
public interface GatewayExtension {

  /** No further routes. */
  GatewayExtension NONE =
      new GatewayExtension() {
        @Override
        public void addTo(Router router) {
          // Nothing to add.
        }

        @Override
        public JsonObject openApiPaths() {
          return new JsonObject();
        }
      };

  /** Adds the routes. */
  void addTo(Router router);

  /** Their description, as the {@code paths} of an OpenAPI document. */
  JsonObject openApiPaths();
}
