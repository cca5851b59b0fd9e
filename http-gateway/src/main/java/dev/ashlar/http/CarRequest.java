package dev.ashlar.http;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.dag.DagScope;
import dev.ashlar.block.dag.DagWalk;
import dev.ashlar.block.dag.EntityBytes;
import java.util.Map;
import java.util.Optional;

/**
 * Which CAR a request asks for (Trustless Gateway, "CAR request parameters").
 *
 * @param walk which blocks, in which order
 * @param order what is said of their order: {@code dfs}, or {@code unk} where no order was asked
 *     for
 */
record CarRequest(DagWalk.Options walk, String order) {

  private static final int DEPTH_MAX = 1024;

  /**
   * Reads the parameters of the query, which are stronger than those of {@code Accept}.
   *
   * @throws Problem where one is unknown or not served
   */
  static CarRequest of(Exchange exchange, Map<String, String> ofAccept, long blocksMax) {
    String version = either(exchange, "car-version", ofAccept, "1");
    if (!version.equals("1")) {
      throw new Problem(Problem.Code.NOT_ACCEPTABLE, "CARs are of version 1, not " + version);
    }
    String order = either(exchange, "car-order", ofAccept, "dfs");
    if (!order.equals("dfs") && !order.equals("unk")) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "car-order is dfs or unk, not " + order);
    }
    String duplicates = either(exchange, "car-dups", ofAccept, "n");
    if (!duplicates.equals("y") && !duplicates.equals("n")) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "car-dups is y or n, not " + duplicates);
    }
    Optional<EntityBytes> bytes = exchange.parameter("entity-bytes").map(CarRequest::entityBytes);
    DagScope scope = scope(exchange.parameter("dag-scope"), bytes.isPresent());
    return new CarRequest(
        new DagWalk.Options(scope, bytes, duplicates.equals("y"), blocksMax, DEPTH_MAX), order);
  }

  /** The media type with what is true of the CAR. */
  String contentType() {
    return ResponseFormat.CAR.contentType()
        + "; version=1; order="
        + order
        + "; dups="
        + duplicates();
  }

  /** The parameters that make the same CAR, as a query. */
  String query() {
    return "format=car&car-version=1&car-order=" + order + "&car-dups=" + duplicates();
  }

  private String duplicates() {
    return walk.duplicates() ? "y" : "n";
  }

  private static String either(
      Exchange exchange, String parameter, Map<String, String> ofAccept, String otherwise) {
    String inAccept = parameter.substring("car-".length());
    return exchange
        .parameter(parameter)
        .or(() -> Optional.ofNullable(ofAccept.get(inAccept)))
        .orElse(otherwise);
  }

  private static DagScope scope(Optional<String> text, boolean hasBytes) {
    DagScope scope =
        switch (text.orElse("all")) {
          case "block" -> DagScope.BLOCK;
          case "entity" -> DagScope.ENTITY;
          case "all" -> DagScope.ALL;
          default ->
              throw new Problem(
                  Problem.Code.INVALID_REQUEST,
                  "dag-scope is block, entity or all, not " + text.get());
        };
    // A range is one of the entity's bytes, whatever else is said.
    return hasBytes ? DagScope.ENTITY : scope;
  }

  private static EntityBytes entityBytes(String text) {
    try {
      return EntityBytes.parse(text);
    } catch (MalformedException e) {
      throw new Problem(Problem.Code.INVALID_REQUEST, String.valueOf(e.getMessage()));
    }
  }
}
