"""What Studio shows: the agent as one node, with the settings of the environment."""

from vmr_agent.subgraph import build_graph

graph = build_graph()
