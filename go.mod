module example.org/bridge

go 1.26.0
