// What every start costs.
