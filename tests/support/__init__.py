"""What tests of several tiers share: services, programs and people to test with. Helpers of one tier stay in its folder."""
