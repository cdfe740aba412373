"""The names of request parameters and their words, as OpenAI's wire has them (openai-facts.md 1c, OAS)."""

from __future__ import annotations

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Reasoning efforts, lowest first. Which of them a model takes is a fact of the model."""

MODALITIES = frozenset({"text", "image", "pdf", "audio", "video"})
"""What a model may read."""

TIERS = ("small", "mid", "strong")
"""Cost tiers, cheapest first."""

FUNCTION_TOOLS = "function_tools"
"""In `refused_params`: the model takes no function tools, while it may take hosted ones."""

HOSTED_TOOLS = frozenset(
    {
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "shell",
        "tool_search",
        "web_search",
        "web_search_preview",
    }
)
"""The provider's own tools of the Responses API, by their type."""

PARAMETERS = frozenset(
    {
        "audio",
        "dimensions",
        "encoding_format",
        "frequency_penalty",
        FUNCTION_TOOLS,
        "logit_bias",
        "logprobs",
        "max_tool_calls",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
        "verbosity",
        "web_search_options",
    }
)
"""What `refused_params` may name: parameters that a request can lose and still mean something, by their chat names."""
