/**
 * Nodes as their clients see them: a store over HTTP, the administration of a cluster, a process
 * that is started and killed.
 */
@NullMarked
package dev.ashlar.server.client;

import org.jspecify.annotations.NullMarked;
