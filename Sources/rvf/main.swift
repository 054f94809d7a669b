print("rvf")
