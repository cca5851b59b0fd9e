package dev.ashlar.server.client;

import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.UnknownOutcomeException;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Requests to a running server, answered by JSON or by lines of it. */
public class ServerClient {

  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration FIRST_LINE_TIMEOUT = Duration.ofHours(1);

  private final URI server;
  private final Optional<String> token;
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

  /**
   * @param server where it serves HTTP
   * @param token what every request carries as a bearer token
   */
  public ServerClient(URI server, Optional<String> token) {
    this.server = server;
    this.token = token;
  }

  /**
   * Sends a request without a body, and gives the lines that are answered as they come.
   *
   * @return to be closed by the caller
   */
  public final Stream<String> lines(String method, String path) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve(path))
            .timeout(FIRST_LINE_TIMEOUT)
            .method(method, HttpRequest.BodyPublishers.noBody());
    token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
    try {
      HttpResponse<Stream<String>> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofLines());
      if (response.statusCode() < 300) {
        return response.body();
      }
      try (Stream<String> body = response.body()) {
        throw refusal(response.statusCode(), new JsonObject(body.collect(Collectors.joining())));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (DecodeException e) {
      throw new IOException(server + " is no server of Ashlar", e);
    }
  }

  /** As {@link #send}, for what may take as long as a walk of a large DAG. */
  public final JsonObject sendAndWait(String method, String path) throws IOException {
    try (Stream<String> lines = lines(method, path)) {
      return new JsonObject(lines.collect(Collectors.joining()));
    }
  }

  /**
   * Sends a request without a body, and gives the JSON that is answered.
   *
   * @throws StoreUnavailableException when it was not done, and can be later
   * @throws UnknownOutcomeException when it may have been done
   * @throws IOException when it failed, with what the server says
   */
  public final JsonObject send(String method, String path) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve(path))
            .timeout(TIMEOUT)
            .method(method, HttpRequest.BodyPublishers.noBody());
    token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
    try {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
      JsonObject body = new JsonObject(response.body());
      if (response.statusCode() < 300) {
        return body;
      }
      throw refusal(response.statusCode(), body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (DecodeException e) {
      throw new IOException(server + " is no server of Ashlar", e);
    }
  }

  /** Text as a part of a path or a query. */
  public static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** What a refusal means to whoever asked; throws what is no failure of the request itself. */
  private static IOException refusal(int status, JsonObject problem) {
    String detail = problem.getString("detail", "status " + status);
    if (status == 503) {
      throw new StoreUnavailableException(detail);
    }
    if (status == 504) {
      throw new UnknownOutcomeException(detail);
    }
    return new IOException(detail);
  }
}
