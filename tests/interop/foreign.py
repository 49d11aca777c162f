class Writers:
    def __init__(self,*a): pass
SETS=[]
