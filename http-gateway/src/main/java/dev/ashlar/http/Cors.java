package dev.ashlar.http;

/** What browsers on pages of other origins may do: read (Fetch standard, "CORS protocol"). */
final class Cors {

  private Cors() {}

  /** Allows every origin to read, and goes on. */
  static void allowReading(Exchange exchange) {
    exchange
        .response()
        .putHeader("Access-Control-Allow-Origin", "*")
        .putHeader("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        .putHeader(
            "Access-Control-Allow-Headers", "Content-Type, Range, User-Agent, X-Requested-With")
        .putHeader(
            "Access-Control-Expose-Headers",
            "Content-Range, Content-Length, X-Ipfs-Path, X-Ipfs-Roots, X-Chunked-Output,"
                + " X-Stream-Output");
    exchange.next();
  }

  /** Answers a browser that asks first. */
  static void preflight(Exchange exchange) {
    exchange.response().setStatusCode(204).end();
  }
}
